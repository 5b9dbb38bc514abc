"""A network that ONNX Runtime runs, in the place of another framework."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from archspec.ir.graph import Graph
from archspec.lower.onnx.external_weights import OnnxModel
from archspec.lower.onnx.model import export
from archspec.lower.onnx.model_file import LIMIT
from archspec.lower.weights import Weights
from archspec.runtime import winograd

Run = Callable[[dict[str, NDArray[Any]]], Sequence[NDArray[Any]]]
"""Works out the outputs, in order, from the inputs by name."""


@dataclass(frozen=True, slots=True)
class Host:
    """What runs a network: its model, to which the weights are added when it is opened.

    Attributes:
        model: all of the model but its weights.
        keys: the weights it needs, by their names in the state dict.
    """

    model: OnnxModel
    keys: tuple[str, ...]

    def open(self, weights: Weights, threads: int) -> Run:
        """ONNX Runtime with these weights, which are copied, on so many threads."""
        import onnxruntime

        tensors = {**self.model.tensors, **{key: weights[key] for key in self.keys}}
        pieces = OnnxModel(self.model.proto, tensors).pieces()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.force_spinning_stop", "1")  # or they slow what comes after a call
        session = onnxruntime.InferenceSession(b"".join(pieces), options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return lambda inputs: session.run(names, inputs)


def host(graph: Graph, weights: Weights) -> Host | None:
    """What runs a network in ONNX Runtime; None where its weights are too large for a model in one piece.

    Raises:
        ArchspecError: ONNX cannot express the network.
    """
    light = export(graph, weights, overrides=winograd.OVERRIDES)
    if sum(array.nbytes for array in light.tensors.values()) > LIMIT:
        return None
    constants = {name: array for name, array in light.tensors.items() if name not in weights}
    return Host(OnnxModel(light.proto, constants), tuple(name for name in light.tensors if name in weights))
