"""Every op in PyTorch: the module made of its source computes what the op means, with the weights the op says."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from archspec.lower.text.header import About
from archspec.lower.torch.instantiate import build
from archspec.lower.torch.rules import RULES
from archspec.lower.torch.source import source
from archspec.ops import OPS
from tests.lower.onnx.runtime import random_weights
from tests.op_references import results
from tests.op_samples import GOOD, Sample


def test_every_op_has_a_rule() -> None:
    missing = [op.kind for op in OPS if op not in RULES]
    assert not missing, f"add rules to {RULES.folder} for {missing}"


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.id)
def test_modules_compute_the_op(sample: Sample, named: bool) -> None:
    """As a module, and as a function where what has no name of its own is one; eager and scripted."""
    graph = sample.graph if named else sample.named(sample.op.kind)
    module = build(source(graph, About())).eval()
    wanted = {key: (weight.shape, str(weight.dtype)) for key, weight in graph.weights()}
    state = module.state_dict()
    assert {key: (tuple(t.shape), str(t.dtype).removeprefix("torch.")) for key, t in state.items()} == wanted
    trainable = {key for key, weight in graph.weights() if not weight.buffer}
    assert {name for name, _ in module.named_parameters()} == trainable

    state = {key: torch.from_numpy(array) for key, array in random_weights(graph).items()}
    module.load_state_dict(state)
    inputs = [torch.from_numpy(array) for array in sample.arrays(3)]
    (node,) = graph.nodes
    weights = {weight.name: state[node.weight_key(weight)] for weight in node.weights}
    expected = results(sample.op, [tensor.clone() for tensor in inputs], weights)
    for run in (module, scripted(module)):
        with torch.no_grad():
            made = run(*[tensor.clone() for tensor in inputs])
        made = made if isinstance(made, tuple) else (made,)
        for got, wanted, type in zip(made, expected, sample.outputs, strict=True):
            assert tuple(got.shape) == (3, *type.sizes)
            scale = max(1.0, float(wanted.abs().amax())) if wanted.numel() else 1.0
            torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5 * scale)


def scripted(module: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch would rather have users export
        script: nn.Module = torch.jit.script(module)
    return script
