"""Routing by agreement, unrolled in a spec: procedure 1 of Sabour, Frosst and Hinton 2017."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # its usual name

import archspec
from archspec.lower.onnx import export
from archspec.lower.weights import from_module
from tests.lower.onnx.runtime import session

ROUTING = """
archspec: 1
name: routing
params: {rounds: 3}
input: [12, 4]
layers:
  - capsule_votes: {name: votes, capsules: 3, features: 5}
  - reduce_sum: {axis: -1, keepdim: true}
  - scale: {name: logits0, factor: 0}
  - repeat:
      times: rounds
      index: i
      layers:
        - softmax: {name: share$i, axis: 2, from: logits$i}
        - mul: {name: weighted$i, from: [prev, votes]}
        - reduce_sum: {name: total$i, axis: 1, keepdim: true}
        - squash: {name: capsules$i}
        - mul: {name: agreement$i, from: [prev, votes], when: i < rounds - 1}
        - reduce_sum: {name: gain$i, axis: -1, keepdim: true, when: i < rounds - 1}
        - add: {name: "logits$(i + 1)", from: [prev, logits$i], when: i < rounds - 1}
  - reshape: [3, 5]
"""


def routed(votes: Tensor, rounds: int) -> Tensor:
    """Procedure 1: (N, input capsules, capsules, features) to (N, capsules, features)."""
    logits = votes.new_zeros(votes.shape[:3])
    for _ in range(rounds):
        total = torch.einsum("nij,nijf->njf", logits.softmax(dim=2), votes)
        square = total.square().sum(dim=2, keepdim=True)
        capsules = square / (1 + square) * F.normalize(total, dim=2)
        logits = logits + torch.einsum("nijf,njf->nij", votes, capsules)
    return capsules


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_routing_equals_procedure_1(rounds: int) -> None:
    net = archspec.parse(ROUTING, rounds=rounds)
    module = net.to_torch()
    x = torch.randn(2, 12, 4, generator=torch.Generator().manual_seed(0)) * 5
    votes = torch.einsum("ijfk,nik->nijf", module.state_dict()["votes.weight"], x)
    found = module(x)
    torch.testing.assert_close(found, routed(votes, rounds))
    (ours,) = session(export(net.graph, from_module(net.graph, module)).to_proto()).run(None, {"input": x.numpy()})
    np.testing.assert_allclose(ours, found.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert net.params == 12 * 3 * 5 * 4
