"""A module that something faster runs wherever only its outputs are wanted."""

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
from archspec.runtime.snapshot import ModuleSnapshot, form

if TYPE_CHECKING:
    from archspec.runtime.session import Host, Run

_OPENING = Lock()
"""Held while a host takes weights: of threads that all call first, one has it do so."""


def host_of(module: nn.Module, graph: Graph) -> Host | None:
    """What can run a module in its place: ONNX Runtime, where it is installed and ONNX can express the network."""
    if not (is_installed("onnx") and is_installed("onnxruntime")):
        return None
    try:
        from archspec.runtime.session import host

        return host(graph, from_module(graph, module))
    except (ArchspecError, ImportError):  # there is another way to compile the module
        return None


@dataclass(frozen=True, slots=True)
class _Opened:
    """A host with the weights of a module that stood so; there is no `run` where it cannot run that."""

    standing: ModuleSnapshot
    run: Run | None


class AcceleratedModule(nn.Module):
    """A module beside its host, which runs what it can: calls in eval mode, without gradients, at the graph's sizes.

    All other calls run the module: those that PyTorch traces or that come to parts with hooks, and all of them once the
    module is another than was compiled. The host takes the weights at the first call it runs. Where they have changed
    since, the module runs until a call finds them as the one before did; then the host takes them anew.
    `ModuleSnapshot` tells which changes are seen. Attributes that are not there are the module's.

    Attributes:
        module: the module.
    """

    def __init__(self, module: nn.Module, graph: Graph, host: Host) -> None:
        super().__init__()
        self._host = host
        self._inputs = {value.name: (value.type.sizes, getattr(torch, value.type.dtype)) for value in graph.inputs}
        self._training_only = [output.training_only for output in graph.outputs]
        self._form = form(module)
        self._opened: _Opened | None = None
        self._changed: ModuleSnapshot | None = None
        self.module = module

    def forward(self, *inputs: Any, **named: Any) -> Any:
        if torch.compiler.is_compiling():
            return self.module(*inputs, **named)
        if named:
            inputs = inspect.signature(self.module.forward).bind(*inputs, **named).args
        arrays = self._arrays(inputs) if self._is_plain() else None
        run = None if arrays is None else self._run()
        if arrays is None or run is None:
            return self.module(*inputs)
        try:
            return self._returned(run(arrays))
        except Exception as error:  # what ONNX Runtime raises has no class in common
            failure = error
        made = self.module(*inputs)  # or it says in PyTorch's words what is wrong with the inputs
        self._opened = _Opened(ModuleSnapshot(self.module), None)
        self._tell(failure)
        return made

    def _is_plain(self) -> bool:
        """Whether a call wants nothing but the outputs at inference, in the precision of the weights."""
        traced = cast(Any, torch.jit).is_tracing()  # it has no types
        return not (self.training or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu") or traced)

    def _arrays(self, inputs: tuple[Any, ...]) -> dict[str, Any] | None:
        """The inputs by name; None where the host cannot take them, or takes for right what PyTorch does not."""
        if len(inputs) != len(self._inputs) or not all(
            type(given) in (Tensor, nn.Parameter)
            and given.device.type == "cpu"
            and given.numel() > 0
            and (tuple(given.shape[1:]), given.dtype) == wanted
            for given, wanted in zip(inputs, self._inputs.values(), strict=True)
        ):
            return None
        try:
            arrays = {name: given.detach().numpy() for name, given in zip(self._inputs, inputs, strict=True)}
        except (RuntimeError, TypeError):  # tensors that are sparse, negated as they are read, or others in disguise
            return None
        from_the_end = any(array.dtype.kind == "i" and array.min() < 0 for array in arrays.values())
        return None if from_the_end else arrays

    def _returned(self, outputs: Sequence[Any]) -> Any:
        """Outputs as the module returns them."""
        made = map(torch.from_numpy, outputs)
        if len(outputs) == 1:
            return next(made)
        return tuple(None if training_only else next(made) for training_only in self._training_only)

    def _run(self) -> Run | None:
        """What runs the module as it stands now."""
        opened = self._opened
        if opened is not None and opened.standing.holds():
            return opened.run
        with _OPENING:
            opened, changed = self._opened, self._changed
            if opened is not None and opened.standing.holds():
                return opened.run
            if opened is not None and (changed is None or not changed.holds()):
                self._changed = ModuleSnapshot(self.module)
                return None
            made = _Opened(ModuleSnapshot(self.module), self._open())
            self._opened, self._changed = made, None
            return made.run

    def _open(self) -> Run | None:
        """The host with the module's weights; None if it is another module than was compiled, or the host fails."""
        if form(self.module) != self._form:
            return None
        weights = {key: weight.detach().numpy() for key, weight in self.module.state_dict().items()}
        try:
            return self._host.open(weights, torch.get_num_threads())
        except Exception as error:  # as above
            self._tell(error)
            return None

    def _tell(self, error: Exception) -> None:
        """Warn of what keeps the host from running the module."""
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        warn(f"PyTorch runs {type(self.module).__name__}, which ONNX Runtime cannot: {reason}", stacklevel=2)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> AcceleratedModule:
        self._opened = self._changed = None  # or the weights would stay where they were as well
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
        return {**self.__dict__, "_opened": None, "_changed": None}
