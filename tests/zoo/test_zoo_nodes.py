"""Every node of every network of the zoo: its shape and its multiply-accumulates are PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import archspec
from archspec import zoo
from archspec.ops.linear import RadialBasis
from tests.op_references import results
from tests.zoo.small import random_tensors

NAMES = sorted(name for name, _ in zoo.names())


@pytest.mark.parametrize("name", NAMES)
def test_shapes_and_macs_are_pytorchs_node_by_node(name: str) -> None:
    """Each op as PyTorch's functions compute it, on tensors that have shapes and no values.

    PyTorch counts two operations for each multiply-accumulate of a convolution or a matrix product.
    """
    net = archspec.load(name)
    made = dict(zip(net.graph.inputs, random_tensors(net, device="meta"), strict=True))
    for node in net.graph.nodes:
        weights = {weight.name: torch.empty(weight.shape, device="meta") for weight in node.weights}
        with FlopCounterMode(display=False) as counter:
            outputs = results(node.op, [made[value] for value in node.inputs], weights)
        for value, output in zip(node.outputs, outputs, strict=True):
            assert tuple(output.shape) == (2, *value.type.sizes), value.name
            made[value] = output
        if not isinstance(node.op, RadialBasis):  # squares are no matrix product to the counter
            assert counter.get_total_flops() == 2 * 2 * net[node.name].macs, node.name
