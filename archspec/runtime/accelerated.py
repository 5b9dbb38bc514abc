"""A module that ONNX Runtime runs whenever a call needs nothing but its outputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, cast
from warnings import warn

import torch
from torch import Tensor, nn

from archspec.diagnostics import ArchspecError
from archspec.ir.graph import Graph
from archspec.lower.optional_deps import is_installed
from archspec.lower.weights import from_module
from archspec.runtime.snapshot import ModuleSnapshot, structure

if TYPE_CHECKING:
    from archspec.runtime.session import Inference, Runtime

_OPENING = Lock()
"""Held while a session is opened, so that concurrent first calls open only one."""


def runtime_of(module: nn.Module, graph: Graph) -> Runtime | None:
    """ONNX Runtime for a module; None if it is not installed or ONNX cannot express the network."""
    if not (is_installed("onnx") and is_installed("onnxruntime")):
        return None
    try:
        from archspec.runtime.session import runtime_for

        return runtime_for(graph, from_module(graph, module))
    except (ArchspecError, ImportError):  # the module can be compiled in another way
        return None


@dataclass(frozen=True, slots=True)
class _Session:
    """A session with the weights of a module in one state; `run` is None if ONNX Runtime cannot run that state."""

    snapshot: ModuleSnapshot
    run: Inference | None


class AcceleratedModule(nn.Module):
    """A module and ONNX Runtime, which runs the calls it can: in eval mode, without gradients, at the graph's sizes.

    The module runs all other calls: those that PyTorch traces, those of a module with hooks, and all calls once its
    structure is no longer that of compilation. ONNX Runtime copies the weights at the first call it runs. After the
    weights change, the module runs until two successive calls find the same weights; then ONNX Runtime copies them
    again. `ModuleSnapshot` says which changes are detected. Attributes are those of the module.

    Attributes:
        module: the module.
    """

    def __init__(self, module: nn.Module, graph: Graph, runtime: Runtime) -> None:
        super().__init__()
        self._runtime = runtime
        self._inputs = {value.name: (value.type.sizes, getattr(torch, value.type.dtype)) for value in graph.inputs}
        self._structure = structure(module)
        self._session: _Session | None = None
        self._changed: ModuleSnapshot | None = None
        self.module = module

    def forward(self, *inputs: Any, **named: Any) -> Any:
        if torch.compiler.is_compiling():
            return self.module(*inputs, **named)
        if named:
            inputs = inspect.signature(self.module.forward).bind(*inputs, **named).args
        arrays = self._arrays(inputs) if self._is_plain_inference() else None
        run = None if arrays is None else self._run()
        if arrays is None or run is None:
            return self.module(*inputs)
        try:
            return self._to_tensors(run(arrays))
        except Exception as error:  # the exceptions of ONNX Runtime have no common base class
            failure = error
        outputs = self.module(*inputs)  # raises PyTorch's own error if the inputs are invalid
        self._session = _Session(ModuleSnapshot(self.module), None)
        self._warn(failure)
        return outputs

    def _is_plain_inference(self) -> bool:
        """Whether a call needs only the outputs at inference, in the precision of the weights."""
        tracing = cast(Any, torch.jit).is_tracing()  # it has no types
        return not (self.training or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu") or tracing)

    def _arrays(self, inputs: tuple[Any, ...]) -> dict[str, Any] | None:
        """The inputs by name; None if ONNX Runtime cannot take them, or accepts values that PyTorch rejects."""
        if len(inputs) != len(self._inputs) or not all(
            type(tensor) in (Tensor, nn.Parameter)
            and tensor.device.type == "cpu"
            and tensor.numel() > 0
            and (tuple(tensor.shape[1:]), tensor.dtype) == expected
            for tensor, expected in zip(inputs, self._inputs.values(), strict=True)
        ):
            return None
        try:
            arrays = {name: tensor.detach().numpy() for name, tensor in zip(self._inputs, inputs, strict=True)}
        except (RuntimeError, TypeError):  # sparse tensors, lazily negated ones, tensors of function transforms
            return None
        negative = any(array.dtype.kind == "i" and array.min() < 0 for array in arrays.values())
        return None if negative else arrays  # ONNX counts negative indices from the end

    def _to_tensors(self, outputs: Sequence[Any]) -> Any:
        """Outputs as the module returns them."""
        tensors = tuple(map(torch.from_numpy, outputs))
        return tensors[0] if len(tensors) == 1 else tensors

    def _run(self) -> Inference | None:
        """What runs the module in its current state; None if the module has to run itself."""
        session = self._session
        if session is not None and session.snapshot.is_current():
            return session.run
        with _OPENING:
            session, changed = self._session, self._changed
            if session is not None and session.snapshot.is_current():
                return session.run
            if session is not None and (changed is None or not changed.is_current()):
                self._changed = ModuleSnapshot(self.module)
                return None
            opened = _Session(ModuleSnapshot(self.module), self._open())
            self._session, self._changed = opened, None
            return opened.run

    def _open(self) -> Inference | None:
        """A session with the module's weights; None if the module's structure changed or ONNX Runtime fails."""
        if structure(self.module) != self._structure:
            return None
        weights = {key: weight.detach().numpy() for key, weight in self.module.state_dict().items()}
        try:
            return self._runtime.open(weights, torch.get_num_threads())
        except Exception as error:  # as in `forward`
            self._warn(error)
            return None

    def _warn(self, error: Exception) -> None:
        """Warn that ONNX Runtime cannot run the module."""
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        name = type(self.module).__name__
        warn(f"ONNX Runtime cannot run {name}, so PyTorch runs it: {reason}", stacklevel=2)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> AcceleratedModule:
        self._session = self._changed = None  # snapshots keep the memory of the old weights alive
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # missing from its stubs
        return self

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("module"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        built = "module" in self.__dict__.get("_modules", ())
        if not built or name == "module" or name in self.__dict__ or hasattr(type(self), name):
            super().__setattr__(name, value)
        else:
            setattr(self.module, name, value)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_session": None, "_changed": None}
