"""The base class of ops: attributes, and the facts that all analyses are computed from.

Modules of ops do not postpone annotations (PEP 563), which would be compiled again when they are read.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, dataclass_transform

from archspec.ir.operation import NO_COST, Cost, OpError
from archspec.ir.types import TensorType, Weight, format_shape
from archspec.ir.window import IDENTITY, NOT_READ, Footprint, Window
from archspec.ops.attribute_checks import checked
from archspec.ops.attribute_types import attributes_of, shortest

__all__ = [
    "MOST_SPATIAL",
    "NOT_READ",
    "NO_COST",
    "Cost",
    "Footprint",
    "Op",
    "OpError",
    "along",
    "need_axes",
    "need_axis",
    "need_float",
    "need_new_axis",
    "need_spatial",
    "per_axis",
    "pointwise",
]


if TYPE_CHECKING:

    class OpType(type):
        """The type of op classes: for mypy, a class is hashable only if its metaclass is not `type`."""
else:
    OpType = type


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Op(metaclass=OpType):
    """An irreducible operation. The annotated fields of a subclass are its attributes: what a user writes in YAML.

    Ops of a class are equal if their attributes are. The facts are functions of types, for one sample: the batch axis
    has no size.

    Raises:
        InvalidAttributes: an attribute is missing, unknown, or has an invalid value.
    """

    kind: ClassVar[str]
    """The name in YAML."""
    family: ClassVar[str] = "other"
    """The family of the op: its file in `ops/` and in all `rules/` folders, and its colour in diagrams."""
    shorthand: ClassVar[str | None] = None
    """The attribute meant by `- kind: value`; `from` for the joins, some of which take a `number`, too."""
    inputs: ClassVar[int | None] = 1
    """How many inputs it takes; None for one or more."""
    primary_outputs: ClassVar[int | None] = None
    """How many of its outputs, from the first, the next layer receives; None for all. Others are `layer.port`."""
    rules: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """The rules of a plugin's op by target (`PyTorch`, `ONNX`, `Keras`), as `module:function`; each is imported when it
    is first needed."""
    module: ClassVar[bool] = False
    """Whether frameworks have it as a module even without weights (an activation, a pooling)."""
    identity_at_inference: ClassVar[bool] = False
    """Whether it returns its one input unchanged at inference."""

    def __init__(self, /, **attributes: Any) -> None:
        self.__dict__.update(checked(type(self), attributes))

    def __init_subclass__(cls) -> None:
        for name, value in vars(cls).items():
            if name == "model_config" or type(value).__module__.partition(".")[0] == "pydantic":
                raise TypeError(f"'{cls.__name__}.{name}' has no effect: pydantic reads only the annotations of an op")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"'{name}' of '{self.kind}' cannot be changed; `with_attributes` makes another op")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"'{name}' of '{self.kind}' cannot be removed")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        try:
            return hash((type(self), *self.__dict__.values()))
        except TypeError:  # an attribute of a plugin may be a list
            return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.attributes().items())})"

    @property
    def ports(self) -> tuple[str, ...]:
        """The names of its outputs; `layer.port` refers to one of several."""
        return ("output",)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The types of the outputs, one per port.

        Raises:
            OpError: it cannot take these inputs.
        """
        return (inputs[0],)

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        """The parameters and buffers it owns."""
        return ()

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        """The arithmetic of one forward pass."""
        return NO_COST

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        """What its outputs read of input number `index`, the same for all outputs; `NOT_READ` if only its sizes."""
        return pointwise(outputs[0])

    def attributes(self) -> dict[str, Any]:
        """All attributes, in the order they are declared."""
        return {name: getattr(self, name) for name in attributes_of(type(self))}

    def explicit_attributes(self) -> dict[str, Any]:
        """The attributes that differ from their defaults, in the order they are declared."""
        known = attributes_of(type(self))
        return {name: value for name, value in self.attributes().items() if value != known[name].default}

    def with_attributes(self, **changes: Any) -> Self:
        """The same op with other values of some attributes.

        Raises:
            InvalidAttributes: an attribute is unknown, or has an invalid value.
        """
        return self._copied(**checked(type(self), {**self.attributes(), **changes}))

    def _copied(self, **values: Any) -> Self:
        copy = object.__new__(type(self))
        copy.__dict__.update({**self.__dict__, **values})
        return copy

    def canonical_attributes(self) -> dict[str, Any]:
        """The attributes in one form for each meaning, without those that mean what their defaults do."""
        known = attributes_of(type(self))
        values = {name: shortest(value) if known[name].per_axis else value for name, value in self.attributes().items()}
        return {name: value for name, value in values.items() if value != known[name].default}


def pointwise(tensor: TensorType) -> Footprint:
    """The footprint of an op whose output positions each read the same position of the input."""
    return _POINTWISE[tensor.rank] if tensor.rank < len(_POINTWISE) else _pointwise(tensor.rank)


def _pointwise(rank: int) -> Footprint:
    return {axis: (axis, IDENTITY) for axis in range(1, rank)}


_POINTWISE = tuple(_pointwise(rank) for rank in range(8))


def along(windows: Sequence[Window | None], start: int = 2) -> Footprint:
    """The footprint of one window per spatial axis, from axis `start` on; None where the whole axis is read."""
    return {start + i: (start + i, window) for i, window in enumerate(windows) if window is not None}


MOST_SPATIAL = 3
"""The most spatial axes that layers slide over or normalize, as in PyTorch."""


def need_spatial(op: str, tensor: TensorType) -> int:
    """The number of spatial axes, which must be 1, 2 or 3.

    Raises:
        OpError: `tensor` is not channels and 1 to 3 spatial axes.
    """
    axes = len(tensor.sizes) - 1
    if not 1 <= axes <= MOST_SPATIAL:
        raise OpError(
            "wrong-rank",
            f"'{op}' slides over 1, 2 or 3 spatial axes, but {format_shape(tensor.shape)} has {max(axes, 0)}",
            help="its input should be (N, channels, length), (N, channels, height, width) or one axis more",
        )
    return axes


def per_axis(op: str, attribute: str, value: Any, axes: int) -> tuple[Any, ...]:
    """One entry per axis; a single value applies to all axes.

    Raises:
        OpError: a list of the wrong length.
    """
    if not isinstance(value, tuple):
        return (value,) * axes
    if len(value) != axes:
        entries = "pair" if all(isinstance(entry, tuple) for entry in value) else "number"
        entries += "" if len(value) == 1 else "s"
        spatial = f"{axes} spatial {'axis' if axes == 1 else 'axes'}"
        raise OpError(
            "wrong-rank",
            f"'{attribute}' of '{op}' lists {len(value)} {entries} for {spatial}",
            help=_per_axis_help(attribute, value, axes),
        )
    return value


def _per_axis_help(attribute: str, value: tuple[Any, ...], axes: int) -> str:
    """The help for a list of the wrong length; other programs list two numbers per axis, or all axes of the tensor."""
    if len(set(value)) == 1 and attribute == "padding" and not isinstance(value[0], tuple):
        return f"write padding: {value[0]} for all sides"
    if attribute == "padding" and len(value) in (2 * axes, 2 * axes + 2, 2 * axes + 4):
        pairs = ", ".join(["[top, bottom]", "[left, right]"] if axes == 2 else ["[before, after]"] * axes)
        return f"write a pair per spatial axis: [{pairs}]"
    if len(value) == axes + 2 or (attribute == "padding" and len(value) == axes + 1):
        return "list only the spatial axes, without the batch and the channels"
    return "write one number for all axes, or one per axis"


def need_axis(op: str, axis: int, tensor: TensorType) -> int:
    """An axis counted from the front: 1 is the channels, -1 the last.

    Raises:
        OpError: no such axis, or the batch axis.
    """
    normalized = axis + tensor.rank if axis < 0 else axis
    if not 1 <= normalized < tensor.rank:
        raise OpError(
            "wrong-axis",
            f"'{op}' has no axis {axis} in {format_shape(tensor.shape)}",
            help=f"axes count from 1, the channels, to {tensor.rank - 1}; axis 0 is the batch",
        )
    return normalized


def need_axes(op: str, axes: int | tuple[int, ...], tensor: TensorType) -> list[int]:
    """Distinct axes, counted from the front, in the order that they are given.

    Raises:
        OpError: there is none, one does not exist, or one is named twice.
    """
    given = axes if isinstance(axes, tuple) else (axes,)
    selected = [need_axis(op, axis, tensor) for axis in given]
    if not selected or len(set(selected)) < len(selected):
        raise OpError(
            "wrong-axis",
            f"'{op}' along {list(given)} must name distinct axes of {tensor}",
            help="name at least one axis, and none twice",
        )
    return selected


def need_new_axis(op: str, axis: int, tensor: TensorType) -> int:
    """The place of an axis that is added, counted from the front: 1 is before the channels, -1 after the last axis.

    Raises:
        OpError: no such place, or before the batch.
    """
    normalized = axis + tensor.rank + 1 if axis < 0 else axis
    if not 1 <= normalized <= tensor.rank:
        raise OpError(
            "wrong-axis",
            f"'{op}' cannot add axis {axis} to {format_shape(tensor.shape)}",
            help=f"1 puts it before the channels, {tensor.rank} or -1 at the end; axis 0 is the batch",
        )
    return normalized


def need_float(op: str, tensor: TensorType) -> None:
    """Check that a tensor holds floating-point numbers.

    Raises:
        OpError: it holds indices.
    """
    if tensor.dtype != "float32":
        raise OpError("wrong-dtype", f"'{op}' computes with float32, but its input is {tensor.dtype}")
