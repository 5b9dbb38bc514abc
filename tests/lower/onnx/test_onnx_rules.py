"""Every rule: ONNX's checker and shape inference, and its outputs in ONNX Runtime compared with PyTorch's functions."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from archspec.diagnostics import ArchspecError
from archspec.lower.onnx import OPSET, OPSETS, export
from archspec.lower.onnx.rules import RULES
from archspec.ops import OPS, Op, OpError
from archspec.ops.attribute_types import attributes_of
from archspec.ops.spatial import AlignCrop
from tests import op_references, op_samples
from tests.lower.onnx.runtime import NEWEST, inferred_shapes, random_weights, session, shapes
from tests.op_samples import Bad, Sample, first_opset

BATCHES = (1, 3)

TESTED = (13, 17, 18, OPSET)
"""The opsets that every rule is tested at, besides the newest: 13 is the oldest, and 18 changed most operators."""

each_sample = pytest.mark.parametrize("sample", op_samples.GOOD, ids=lambda sample: sample.id)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.kind)
def test_every_op_has_a_rule_a_reference_and_samples(op: type[Op]) -> None:
    good = [sample for sample in op_samples.GOOD if type(sample.op) is op]
    bad = [sample for sample in op_samples.BAD if type(sample.op) is op]
    assert op in RULES, f"write a rule for '{op.kind}' in {RULES.folder}"
    assert op.kind in op_references.REFERENCES, f"write a reference for '{op.kind}' in {op_references.FILE}"
    assert len(good) >= 3, f"give three samples of '{op.kind}' in {op_samples.FILE}"
    assert bad or op.kind in op_samples.NEVER_REJECTS, f"give a sample that '{op.kind}' refuses in {op_samples.FILE}"
    for name in attributes_of(op):
        values = {repr(getattr(sample.op, name)) for sample in good}
        assert len(values) > 1, f"give a sample of '{op.kind}' with another '{name}' in {op_samples.FILE}"


def test_rules_and_references_are_those_of_the_ops() -> None:
    assert set(RULES) - {AlignCrop} == set(OPS)
    assert set(op_references.REFERENCES) == {op.kind for op in OPS}


def opsets(sample: Sample, newest: int) -> list[int]:
    """The opsets to test a sample at."""
    return [opset for opset in (*TESTED, newest) if opset >= first_opset(sample.op)]


@each_sample
def test_outputs_are_those_of_pytorch_for_any_batch(sample: Sample) -> None:
    graph = sample.graph
    weights = random_weights(graph)
    (node,) = graph.nodes
    parameters = {weight.name: torch.from_numpy(weights[node.weight_key(weight)]) for weight in node.weights}
    expected = []
    for batch in BATCHES:
        arrays = sample.arrays(batch)
        wanted = op_references.results(sample.op, [torch.from_numpy(array) for array in arrays], parameters)
        expected.append((batch, {f"x{i}": array for i, array in enumerate(arrays)}, wanted))
    for opset in opsets(sample, NEWEST):
        runner = session(export(graph, weights, opset=opset).to_proto())
        for batch, inputs, tensors in expected:
            made = runner.run(None, inputs)
            for result, tensor, type in zip(made, tensors, sample.outputs, strict=True):
                wanted = tensor.numpy()
                assert result.shape == (batch, *type.sizes) == wanted.shape
                assert result.dtype == wanted.dtype
                np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-5, err_msg=f"opset {opset}")


@each_sample
def test_onnx_infers_the_declared_shapes(sample: Sample) -> None:
    graph = sample.graph
    for opset in opsets(sample, OPSETS.stop - 1):
        model = export(graph, random_weights(graph), opset=opset).to_proto()
        onnx.checker.check_model(model, full_check=True)
        declared = shapes([*model.graph.value_info, *model.graph.output])
        for i, type in enumerate(sample.outputs):
            assert declared[f"y{i}"] == ["N", *type.sizes]
        assert inferred_shapes(model) == declared


@pytest.mark.parametrize(("kind", "first"), op_samples.NEWER_ONNX)
def test_ops_that_need_a_newer_opset_than_the_oldest_say_so(kind: str, first: int) -> None:
    graph = op_samples.NEWER_ONNX[kind, first].graph
    with pytest.raises(ArchspecError, match=rf"needs \w+ of opset {first}\b"):
        export(graph, random_weights(graph), opset=first - 1)


@each_sample
def test_nodes_are_named_after_the_layer_and_constants_are_used(sample: Sample) -> None:
    graph = sample.graph
    model = export(graph, random_weights(graph)).to_proto().graph
    names = [node.name for node in model.node]
    assert len(set(names)) == len(names)
    own = [name for name in names if not name.endswith("/copy")]
    assert not own or "layer" in own
    assert all(name.startswith("layer/") for name in own if name != "layer")
    read = {name for node in model.node for name in node.input}
    assert {tensor.name for tensor in model.initializer} <= read


@pytest.mark.parametrize("bad", op_samples.BAD, ids=lambda bad: bad.id)
def test_ops_reject_bad_samples(bad: Bad) -> None:
    with pytest.raises(OpError) as refused:
        bad.op.infer(bad.inputs)
    assert refused.value.code == bad.code
