"""Networks of the zoo that read words: with the weights of the hand-written ones they compute what these do."""

from __future__ import annotations

import torch
from torch import nn

import archspec
from tests.zoo.handwritten.gpt2 import Gpt2
from tests.zoo.small import random_tensors


def same(net: archspec.Network, theirs: nn.Module) -> list[torch.Tensor]:
    """Check that the network computes what a module does on the same weights, whose names are the same; its inputs."""
    ours = net.to_torch().eval()
    ours.load_state_dict(theirs.eval().state_dict())
    inputs = random_tensors(net)
    with torch.no_grad():
        wanted = theirs(*inputs)
        torch.testing.assert_close(ours(*inputs), wanted)
    assert wanted.std() > 0.1
    return inputs


def test_gpt2_is_the_hand_written_one() -> None:
    torch.manual_seed(0)
    net = archspec.load("gpt2", width=128, depth=2, vocabulary=40, context=24)
    (tokens,) = same(net, Gpt2(128, 2, 40, 24))
    module = net.to_torch().eval()
    later = tokens.clone()
    later[:, 15:] = 39 - later[:, 15:]
    with torch.no_grad():
        torch.testing.assert_close(module(later)[:, :15], module(tokens)[:, :15])
        assert not module(later)[:, 15:].allclose(module(tokens)[:, 15:])
