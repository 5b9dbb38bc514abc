"""Running ONNX models in tests."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument

from archspec.ir.graph import Graph
from archspec.ir.types import DType
from archspec.lower.onnx import OPSETS

Arrays = Mapping[str, NDArray[np.generic]]


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """The model in ONNX Runtime, on one thread and quiet."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def newest_opset() -> int:
    """The newest opset that the installed versions of onnx and ONNX Runtime both support."""
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "identity", [x], [y])
    for opset in reversed(OPSETS):
        version = onnx.helper.make_opsetid("", opset)
        model = onnx.helper.make_model(
            graph, opset_imports=[version], ir_version=onnx.helper.find_min_ir_version_for([version])
        )
        with suppress(Fail, InvalidArgument):
            session(model)
            return opset
    raise AssertionError("ONNX Runtime loads no opset")


def random_inputs(graph: Graph, batch: int, seed: int = 0) -> Arrays:
    """Values for the inputs of a graph, wide enough to reach every branch of an activation."""
    random = np.random.default_rng(seed)
    return {
        value.name: (
            random.integers(0, 9, (batch, *value.type.sizes))
            if value.type.dtype is DType.INT64
            else random.normal(0, 3, (batch, *value.type.sizes)).astype(np.float32)
        )
        for value in graph.inputs
    }


def random_weights(graph: Graph, seed: int = 0) -> Arrays:
    """Random values for the weights of a graph, with positive variances, and indices from 0 to 2."""
    random = np.random.default_rng(seed)
    return {
        key: random.integers(0, 3, weight.shape)
        if weight.dtype is DType.INT64
        else random.uniform(0.2 if key.endswith("running_var") else -1, 1, weight.shape).astype(np.float32)
        for key, weight in graph.weights()
    }


def inferred_shapes(model: onnx.ModelProto) -> dict[str, list[str | int]]:
    """The shape of every value, as ONNX infers it from the inputs alone, strictly.

    Resize calls the batch by a new symbol (`unk__0`), here N again.
    """
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    for output in bare.graph.output:
        output.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    found = shapes([*inferred.graph.value_info, *inferred.graph.output])
    return {name: ["N" if str(size).startswith("unk__") else size for size in sizes] for name, sizes in found.items()}


def shapes(values: list[onnx.ValueInfoProto]) -> dict[str, list[str | int]]:
    """The declared shapes of values."""
    return {
        value.name: [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim] for value in values
    }


NEWEST = newest_opset()
"""The newest opset that tests run."""
