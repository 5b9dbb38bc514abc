"""Checks at other sizes of the inputs: every target computes what the spec means there, or refuses."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import archspec
from archspec.diagnostics import ArchspecError
from archspec.ir.types import DType
from archspec.lower.torch.inference import outputs
from archspec.network import Network
from tests.random_networks.case import Arrays, Case, Expected, random_inputs
from tests.random_networks.targets import in_onnx

Sizes = dict[str, tuple[int, ...]]

COUNT = 2
"""How many other sizes are tried."""


def other_sizes(case: Case, count: int = COUNT) -> Iterator[tuple[Network, Arrays, Expected]]:
    """The network made for other sizes, where the spec and the weights allow them, with inputs and outputs."""
    random = Random(case.seed)
    changes = [-3, -2, -1, 1, 2, 3, "half", "twice"]
    for change in random.sample(changes, count):
        sizes = {value.name: (value.type.sizes[0], *(_changed(size, change) for size in value.type.spatial))
                 for value in case.graph.inputs
                 if value.type.dtype is DType.FLOAT32 and value.type.rank > 2 and value.name != "boxes"}  # fmt: skip
        if not sizes or sizes == {name: case.network.inputs[name] for name in sizes}:
            continue
        try:
            network = archspec.parse(case.text, name="random.yaml", input=sizes)
        except ArchspecError:
            continue
        if {key: weight.shape for key, weight in network.graph.weights()} == {
            key: weight.shape for key, weight in case.graph.weights()
        }:
            inputs = random_inputs(network.graph, case.seed)
            yield network, inputs, Expected.of(network.graph, case.weights, inputs)


def _changed(size: int, change: int | str) -> int:
    changed = {"half": size // 2, "twice": 2 * size}.get(change) if isinstance(change, str) else size + change
    return max(1, changed or 1)


def pytorch(case: Case) -> Iterator[str]:
    """The module, run at another size, returns what the module made for that size does, or raises."""
    module = case.network.to_torch(dict(case.weights)).eval()
    for network, inputs, expected in other_sizes(case):
        try:
            actual = outputs(module, case.graph, inputs)
        except (RuntimeError, ValueError, IndexError):  # how PyTorch refuses
            continue
        for difference in expected.differences(actual):
            yield f"at {network.inputs}: {difference}"


def dynamic_onnx(case: Case) -> Iterator[str]:
    """A file with dynamic sizes, where it is not refused, returns what the network made for a size does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.onnx"
        try:
            case.network.to_onnx(path, dict(case.weights), dynamic=True)
        except ArchspecError as error:
            case.refused.add("dynamic ONNX")
            yield from (each.render() for each in error.diagnostics if each.code != "unsupported")
            return
        for network, inputs, expected in other_sizes(case, 3):
            try:
                actual = in_onnx(path, case, inputs)
            except Exception as error:  # of many classes of ONNX Runtime
                message = str(error).splitlines()[0]
                if "INVALID_ARGUMENT" not in message and "/checked'" not in message:  # how a file refuses a size
                    yield f"at {network.inputs}: {message}"
                continue
            for difference in expected.differences(actual):
                yield f"at {network.inputs}: {difference}"
