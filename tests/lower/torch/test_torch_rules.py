"""Every op in PyTorch: the module made of its source computes what the op means, with the weights the op says."""

from __future__ import annotations

import pytest
import torch

from archspec.lower.torch.load import build
from archspec.lower.torch.rules import RULES
from archspec.lower.torch.write import About, class_name, source
from archspec.ops import OPS
from tests.op_references import REFERENCES
from tests.op_samples import GOOD, Sample


def test_every_op_has_a_rule() -> None:
    missing = [op.kind for op in OPS if op not in RULES]
    assert not missing, f"add rules to {RULES.file} for {missing}"


@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.id)
def test_module_is_the_op(sample: Sample) -> None:
    graph = sample.graph
    module = build(source(graph, About()), class_name(graph)).eval()
    wanted = {key: (weight.shape, str(weight.dtype)) for key, weight in graph.weights()}
    state = module.state_dict()
    assert {key: (tuple(t.shape), str(t.dtype).removeprefix("torch.")) for key, t in state.items()} == wanted
    trainable = {key for key, weight in graph.weights() if not weight.buffer}
    assert {name for name, _ in module.named_parameters()} == trainable

    torch.manual_seed(0)
    for key, tensor in state.items():
        if tensor.is_floating_point():
            state[key] = torch.rand_like(tensor) + 0.5 if key.endswith("running_var") else torch.randn_like(tensor)
    module.load_state_dict(state)
    inputs = [
        torch.randn(3, *tensor.sizes) if tensor.dtype == "float32" else torch.randint(0, 2, (3, *tensor.sizes))
        for tensor in sample.inputs
    ]
    weights = {key.removeprefix("layer."): tensor for key, tensor in state.items()}
    expected = REFERENCES[sample.op.kind](sample.op, [tensor.clone() for tensor in inputs], weights)
    with torch.no_grad():
        got = module(*inputs)
    assert tuple(got.shape) == (3, *sample.outputs[0].sizes)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
