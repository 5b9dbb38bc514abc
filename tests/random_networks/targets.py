"""Checks of what networks are compiled to: PyTorch, ONNX at several opsets, Keras, and each of them optimized."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from archspec.diagnostics import ArchspecError
from archspec.lower.onnx import OPSETS, export
from archspec.lower.torch.inference import outputs
from archspec.network import Network
from archspec.ops.norm import GroupNorm, InstanceNorm, LayerNorm
from tests.op_samples import first_opset
from tests.random_networks.case import Arrays, Case, evaluate

NEWEST = 26
"""The newest opset that ONNX Runtime 1.31 supports."""


def pytorch(case: Case) -> Iterator[str]:
    """The module returns what PyTorch's functions do, for each of two samples as for both."""
    yield from case.expected.differences(in_torch(case.network, case.weights, case.inputs))
    alone = {name: array[:1] for name, array in case.inputs.items()}
    for name, array in in_torch(case.network, case.weights, alone).items():
        wanted = case.expected.outputs[name][:1]
        if array.shape != wanted.shape:
            yield f"'{name}' of one sample is {array.shape} instead of {wanted.shape}"


def onnx_runtime(case: Case) -> Iterator[str]:
    """ONNX Runtime loads the file at the oldest opset and at another, and returns what PyTorch does."""
    oldest = max([OPSETS.start, *(first_opset(node.op) for node in case.graph.nodes)])
    newer = oldest + 1 + case.seed % (NEWEST - oldest)
    for opset in (oldest, newer):
        model = export(case.graph, case.weights, opset=opset).to_proto()
        onnx.checker.check_model(model, full_check=True)
        for difference in case.expected.differences(in_onnx(model.SerializeToString(), case)):
            yield f"opset {opset}: {difference}"


def optimized(case: Case) -> Iterator[str]:
    """The optimized network returns the same in PyTorch and in ONNX Runtime."""
    network = case.network.optimized(dict(case.weights))
    for difference in case.expected.differences(in_torch(network, None, case.inputs)):
        yield f"PyTorch: {difference}"
    model = export(network.graph, network.weights()).to_proto()
    for difference in case.expected.differences(in_onnx(model.SerializeToString(), case)):
        yield f"ONNX: {difference}"


def keras(case: Case) -> Iterator[str]:
    """Keras returns the same, or the network is refused with the layer that Keras cannot express."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    try:
        source = case.network.source("keras")
    except ArchspecError as error:
        case.refused.add("Keras")
        yield from (each.render() for each in error.diagnostics if each.code != "unsupported" or each.span is None)
        return
    from archspec.lower.keras.instantiate import build

    model = build(source, case.graph, case.weights)
    arrays = [case.inputs[value.name] for value in case.graph.inputs]
    returned = model(arrays if len(arrays) > 1 else arrays[0], training=False)
    returned = returned if isinstance(returned, list | tuple) else [returned]
    names = [output.name for output in case.graph.inference_outputs]
    actual = {name: keras.ops.convert_to_numpy(each) for name, each in zip(names, returned, strict=True)}
    whole = {name: _whole_as(actual[name], case.expected.outputs[name]) for name in names}
    differences = [*case.expected.differences(whole)]
    if differences and not _loses_variances(case):
        yield from differences


def _loses_variances(case: Case) -> bool:
    """Whether a mean is so large that Keras, which takes variances as differences of squares, rounds them away."""
    values = evaluate(case.graph, case.weights, case.inputs)
    for node in case.graph.nodes:
        tensor = values[node.inputs[0]]
        if isinstance(node.op, InstanceNorm | GroupNorm):
            groups = node.op.groups if isinstance(node.op, GroupNorm) else tensor.shape[1]
            tensor = tensor.reshape(len(tensor), groups, -1)
            axes: tuple[int, ...] = (2,)
        elif isinstance(node.op, LayerNorm):
            axes = tuple(node.op.normalized_axes(node.inputs[0].type))
        else:
            continue
        if bool((tensor.mean(axes).abs() > 100 * tensor.std(axes, correction=0)).any()):
            return True
    return False


def _whole_as(array: Any, wanted: Any) -> Any:
    """Whole numbers in the type that PyTorch has; Keras' are shorter."""
    return array.astype(wanted.dtype) if wanted.dtype.kind == array.dtype.kind == "i" else array


def in_torch(network: Network, weights: Arrays | None, inputs: Arrays) -> dict[str, Any]:
    module = network.to_torch(None if weights is None else dict(weights)).eval()
    return outputs(module, network.graph, inputs)


def in_onnx(model: bytes | Path, case: Case, inputs: Arrays | None = None) -> dict[str, Any]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in case.graph.inference_outputs]
    fed = {name: np.ascontiguousarray(array) for name, array in (inputs or case.inputs).items()}
    read: Mapping[str, Any] = {each.name: fed[each.name] for each in session.get_inputs()}
    return dict(zip(names, session.run(names, read), strict=True))
