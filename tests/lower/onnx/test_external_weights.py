"""Models without the elements of their weights: the complete models, and the bytes of their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from safetensors.torch import save_file

from archspec.loading import load
from archspec.lower.onnx.external_weights import OnnxModel

Arrays = dict[str, NDArray[Any]]

shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=30)


@st.composite
def tensors(draw: st.DrawFn) -> NDArray[Any]:
    """Arrays of the types of weights, of any rank and memory order, also empty."""
    shape, dtype = draw(shapes), draw(st.sampled_from([np.float32, np.int64]))
    array = np.random.default_rng(draw(st.integers(0, 9))).integers(-99, 99, shape).astype(dtype)
    return array.swapaxes(0, draw(st.integers(0, array.ndim - 1))) if array.ndim else array


@st.composite
def onnx_models(draw: st.DrawFn) -> OnnxModel:
    """Models with any initializers, some of them `TensorProto`s."""
    rest = onnx.ModelProto(ir_version=10, producer_name=draw(st.text(max_size=300)))
    rest.graph.name = "net"
    rest.graph.node.add(op_type="Relu", input=["x"], output=["y"])
    if draw(st.booleans()):
        rest.graph.initializer.append(onnx.numpy_helper.from_array(np.arange(3), "own"))
    return OnnxModel(rest, draw(st.dictionaries(st.text(max_size=200), tensors(), max_size=5)))


@given(onnx_models())
def test_the_pieces_are_the_complete_model(model: OnnxModel) -> None:
    whole = model.to_proto()
    data = b"".join(model.pieces())
    assert onnx.ModelProto.FromString(data) == whole
    assert len(data) == whole.ByteSize()
    for tensor in whole.graph.initializer:
        assert tensor.SerializeToString(deterministic=True) in data


@given(onnx_models())
def test_initializers_have_the_elements_of_the_arrays(model: OnnxModel) -> None:
    found = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.to_proto().graph.initializer}
    for name, array in model.tensors.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_contiguous_arrays_are_not_copied() -> None:
    array = np.ones((3, 4), np.float32)
    *_, numbers = OnnxModel(onnx.ModelProto(), {"weight": array}).pieces()
    assert np.shares_memory(np.frombuffer(numbers, np.float32), array)


def test_the_structure_has_the_initializers_as_inputs() -> None:
    rest = onnx.ModelProto()
    structure = OnnxModel(rest, {"w": np.ones((3, 4), np.float32), "n": np.ones((), np.int64)}).structure()
    assert structure.graph.input == [
        onnx.helper.make_tensor_value_info("w", onnx.TensorProto.FLOAT, (3, 4)),
        onnx.helper.make_tensor_value_info("n", onnx.TensorProto.INT64, ()),
    ]
    assert not structure.graph.initializer
    assert rest == onnx.ModelProto()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_any_form_of_the_same_weights_gives_the_same_bytes(tmp_path: Path, dtype: torch.dtype) -> None:
    net = load("squeezenet1_1", input=(3, 32, 32), classes=7)
    module = net.to_torch().to(dtype)
    torch.save(module.state_dict(), tmp_path / "w.pth")
    torch.save(module.state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file(module.state_dict(), tmp_path / "w.safetensors")
    written = []
    for handed in (module, net.weights(module), *(tmp_path / name for name in ("w.pth", "old.pth", "w.safetensors"))):
        net.to_onnx(tmp_path / "net.onnx", handed)
        written.append((tmp_path / "net.onnx").read_bytes())
    assert len(set(written)) == 1
