"""A network in ONNX Runtime, ready to run in place of another framework's module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from archspec.ir.graph import Graph
from archspec.lower.onnx.external_weights import OnnxModel
from archspec.lower.onnx.model import export, initializer_names
from archspec.lower.onnx.model_file import LIMIT
from archspec.lower.onnx.rules import OnnxRule
from archspec.lower.weights import Weights
from archspec.ops import Op
from archspec.runtime import winograd

Inference = Callable[[dict[str, NDArray[Any]]], Sequence[NDArray[Any]]]
"""Computes the outputs, in order, from the inputs by name."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A network for ONNX Runtime: its model, to which the weights are added when a session is opened.

    Attributes:
        model: the model without its weights.
        weights: the names in the model of the weights it needs, with their keys in the state dict.
    """

    model: OnnxModel
    weights: Mapping[str, str]

    def open(self, weights: Weights, threads: int) -> Inference:
        """A session with a copy of these weights, on this number of threads."""
        import onnxruntime

        tensors = {**self.model.tensors, **{name: weights[key] for name, key in self.weights.items()}}
        pieces = OnnxModel(self.model.proto, tensors).pieces()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = threads
        # Otherwise idle threads spin after a call and slow down whatever runs next.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        session = onnxruntime.InferenceSession(b"".join(pieces), options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return lambda inputs: session.run(names, inputs)


def runtime_for(graph: Graph, weights: Weights, overrides: Mapping[type[Op], OnnxRule] | None = None) -> Runtime | None:
    """The network in ONNX Runtime; None if its weights are too large for a model in one piece.

    Args:
        graph: the network.
        weights: weights of its shapes and types.
        overrides: rules for the export; by default those of `winograd.overrides()`.

    Raises:
        ArchspecError: ONNX cannot express the network.
    """
    model = export(graph, weights, overrides=winograd.overrides() if overrides is None else overrides)
    if sum(array.nbytes for array in model.tensors.values()) > LIMIT:
        return None
    keys = {name: key for key, name in initializer_names(graph).items() if name in model.tensors}
    constants = {name: array for name, array in model.tensors.items() if name not in keys}
    return Runtime(OnnxModel(model.proto, constants), keys)
