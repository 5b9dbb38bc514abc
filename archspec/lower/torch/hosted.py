"""A module that something faster runs wherever only its outputs are wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from archspec.diagnostics import ArchspecError
from archspec.ir.graph import Graph
from archspec.lower.libraries import is_installed
from archspec.lower.weights import from_module

if TYPE_CHECKING:
    from archspec.lower.onnx import Host
    from archspec.lower.onnx.session import Run


def host_of(module: nn.Module, graph: Graph) -> Host | None:
    """What can run a module in its place: ONNX Runtime, where it is installed and ONNX can express the network."""
    if not (is_installed("onnx") and is_installed("onnxruntime")):
        return None
    from archspec.lower.onnx import host

    try:
        return host(graph, from_module(graph, module))
    except ArchspecError:  # there is another way to compile the module
        return None


class Hosted(nn.Module):
    """A module beside its host, which runs what it can: calls in eval mode, without gradients, at the graph's sizes.

    All other calls run the module. The host takes the weights at the first call it runs, and anew once the module has
    been in training mode or moved; weights that change otherwise are not seen.

    Attributes:
        module: the module.
    """

    def __init__(self, module: nn.Module, graph: Graph, host: Host) -> None:
        super().__init__()
        self.module = module
        self._host = host
        self._inputs = {value.name: (value.type.sizes, getattr(torch, value.type.dtype)) for value in graph.inputs}
        self._training_only = [output.training_only for output in graph.outputs]
        self._run: Run | None = None

    def forward(self, *inputs: Any) -> Any:
        if not self._hosts(inputs):
            return self.module(*inputs)
        if self._run is None:
            weights = {key: tensor.detach().numpy() for key, tensor in self.module.state_dict().items()}
            self._run = self._host.open(weights, torch.get_num_threads())
        arrays = {name: tensor.detach().numpy() for name, tensor in zip(self._inputs, inputs, strict=True)}
        outputs = [torch.from_numpy(array) for array in self._run(arrays)]
        if len(outputs) == 1:
            return outputs[0]
        made = iter(outputs)
        return tuple(None if training_only else next(made) for training_only in self._training_only)

    def _hosts(self, inputs: tuple[Any, ...]) -> bool:
        """Whether the host can run a call; of no samples it cannot."""
        if self.training or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
            return False
        return len(inputs) == len(self._inputs) and all(
            isinstance(given, Tensor)
            and given.device.type == "cpu"
            and given.numel() > 0
            and (tuple(given.shape[1:]), given.dtype) == wanted
            for given, wanted in zip(inputs, self._inputs.values(), strict=True)
        )

    def train(self, mode: bool = True) -> Hosted:
        self._run = None
        return super().train(mode)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Hosted:
        self._run = None
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # missing from its stubs
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_run": None}
