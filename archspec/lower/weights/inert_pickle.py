"""Reads the tensors of a pickle without running anything in it: every class that is not known becomes an empty object.

`torch.load(weights_only=True)` rejects a checkpoint for one argparse.Namespace beside its tensors. Here `find_class`
never returns anything of another module: tensors, arrays and containers are made by the functions below, and all else
by `Foreign`, which ignores its arguments. The classes of this module cannot be changed by a pickle either, since
setting an attribute of one of them is an error.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DATA_MODULES = frozenset((
    "__main__", "_codecs", "argparse", "array", "collections", "copy", "copyreg", "dataclasses", "datetime", "decimal",
    "enum", "fractions", "functools", "logging", "numbers", "operator", "pathlib", "random", "re", "string", "time",
    "types", "typing", "uuid", "weakref",
))  # fmt: skip
"""Modules of Python whose objects checkpoints hold beside tensors. A file that names others is rejected as a whole."""

_CONTAINERS: Mapping[str, type] = {each.__name__: each for each in (set, frozenset, list, dict, tuple, complex)}

_TYPES = ("object", "int", "float", "bool", "str", "bytes", "bytearray", "slice")
"""Other types of Python, whose objects are not read."""

_OLD_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg"}
"""Names of modules in pickles of Python 2."""


class RejectedError(pickle.UnpicklingError):
    """A pickle would run something that is not the construction of data."""


class _Fixed(type):
    """The type of classes that a pickle cannot change."""

    def __setattr__(cls, name: str, value: object) -> None:
        raise pickle.UnpicklingError("a pickle cannot change a class")


class Foreign(dict[Any, Any], metaclass=_Fixed):
    """An object of a class that is not known: empty, but for the entries if it is a mapping."""

    dump_patches = False
    """Read by torch for modules in files of its old format."""

    def __init__(self, *args: object, **keywords: object) -> None:
        super().__init__()

    __hash__ = object.__hash__  # type: ignore[assignment]  # objects may be keys

    def __call__(self, *args: object, **keywords: object) -> Foreign:
        return Foreign()

    def __setstate__(self, state: object) -> None:
        """Ignore the state."""

    def append(self, item: object) -> None:
        """Ignore an item."""

    def extend(self, items: Iterable[object]) -> None:
        """Ignore items."""

    def add(self, item: object) -> None:
        """Ignore an item."""


class Entries(dict[Any, Any], metaclass=_Fixed):
    """An `OrderedDict`."""

    def __setstate__(self, state: object) -> None:
        """Ignore the state: the `_metadata` of a state dict."""


class PickledArray(metaclass=_Fixed):
    """An array of NumPy.

    Attributes:
        value: the array.
    """

    value: NDArray[Any] = np.zeros(0)

    def __init__(self, *args: object) -> None:
        pass

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.value.dtype

    def array(self) -> NDArray[Any]:
        """The array."""
        return self.value

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, is_fortran, data = state
        if not isinstance(dtype, _DType) or not isinstance(data, bytes):
            raise pickle.UnpicklingError("an array does not hold numbers")
        flat = np.frombuffer(bytearray(data), dtype.numpy)
        self.value = flat.reshape(shape, order="F" if is_fortran else "C")


class _DType(metaclass=_Fixed):
    """An element type of NumPy."""

    def __init__(self, name: str = "", *args: object) -> None:
        self.name, self.order = str(name), "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = str(state[1])

    @property
    def numpy(self) -> np.dtype[Any]:
        dtype = np.dtype(self.name).newbyteorder("<" if self.order == "<" else ">" if self.order == ">" else "=")
        if dtype.kind not in "biuf":
            raise pickle.UnpicklingError("an array does not hold numbers")
        return dtype


class _Function(metaclass=_Fixed):
    """A function that makes data; as an object, so that a pickle cannot change the function itself."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: object) -> Any:
        return self.function(*args)


def _first(value: object, *_: object) -> object:
    return value


def _of_type(rebuild: Callable[..., Any], _kind: object, args: tuple[Any, ...], *_: object) -> Any:
    """A tensor of a subclass, as a tensor."""
    return rebuild(*args) if isinstance(rebuild, _Function) else Foreign()


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    return text.encode("latin1") if encoding == "latin1" else b""


_FUNCTIONS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_parameter"): _first,
    ("torch._utils", "_rebuild_parameter_with_state"): _first,
    ("torch._tensor", "_rebuild_from_type_v2"): _of_type,
    ("torch", "Size"): tuple,
    ("_codecs", "encode"): _encoded,
}

_CLASSES: Mapping[tuple[str, str], type] = {
    ("collections", "OrderedDict"): Entries,
    ("numpy", "dtype"): _DType,
    ("numpy", "ndarray"): PickledArray,
    ("numpy.core.multiarray", "_reconstruct"): PickledArray,
    ("numpy._core.multiarray", "_reconstruct"): PickledArray,
}


class InertUnpickler(pickle._Unpickler):
    """An unpickler that runs nothing of a file.

    It is the one in Python: that in C reserves memory for the largest number in the memo, which may be any in a file.

    Attributes:
        torch: the library whose tensors are made; None if there are no tensors.
    """

    torch: Any = None

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a class or function of a file.

        Raises:
            RejectedError: it belongs to a module of Python that does more than hold data.
        """
        module = _OLD_MODULES.get(module, module)
        if self.torch is not None and module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return _Function(self._tensor)
        if (module, name) in _FUNCTIONS:
            return _Function(_FUNCTIONS[module, name])
        if (module, name) in _CLASSES:
            return _CLASSES[module, name]
        if module == "builtins" and name in _CONTAINERS:
            return _CONTAINERS[name]
        top = module.partition(".")[0]
        is_known = top in _DATA_MODULES or top not in sys.stdlib_module_names
        if not (name in _TYPES if module == "builtins" else is_known):
            raise RejectedError(f"GLOBAL {module}.{name} is not data")
        found = vars(self.torch).get(name) if module == "torch" and self.torch is not None else None
        return found if found is not None and isinstance(found, self.torch.dtype) else Foreign

    @property
    def persistent_load(self) -> Callable[[Any], Any]:
        """What makes the objects that are not in the pickle itself: the storages of tensors.

        torch sets it. It compares the source of modules in files of its old format with that of their class, and warns
        of differences: here, of `Foreign`. So it gets no source.
        """
        return getattr(self, "_persistent_load", super().persistent_load)

    @persistent_load.setter
    def persistent_load(self, load: Callable[[Any], Any]) -> None:
        def without_source(saved: Any) -> Any:
            is_module = isinstance(saved, tuple) and len(saved) > 1 and saved[0] in ("module", b"module")
            return load((*saved[:2], None, None) if is_module else saved)

        self._persistent_load: Callable[[Any], Any] = without_source

    def _tensor(self, storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> Any:
        return self.torch._utils._rebuild_tensor(storage, offset, size, stride)


def pickle_module(torch: Any) -> SimpleNamespace:
    """What `torch.load` takes as its `pickle_module`, to read tensors alone."""
    unpickler: type[InertUnpickler] = type("TensorUnpickler", (InertUnpickler,), {"torch": torch})

    def load(file: Any, **options: Any) -> Any:
        return unpickler(file, **options).load()

    return SimpleNamespace(__name__="inert_pickle", Unpickler=unpickler, load=load)
