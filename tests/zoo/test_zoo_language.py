"""Networks of the zoo that read words: with the weights of the hand-written ones they compute what these do."""

from __future__ import annotations

import torch
from torch import nn

import archspec
from tests.zoo.handwritten.gpt2 import Gpt2
from tests.zoo.handwritten.transformer import Transformer, positions
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


def test_the_transformer_is_that_of_pytorchs_layers() -> None:
    torch.manual_seed(0)
    small = {"width": 32, "hidden": 48, "heads": 4, "depth": 2, "vocabulary": 40, "length": 24}
    net, theirs = archspec.load("transformer", **small), Transformer(32, 48, 4, 2, 40)
    source, _ = same(net, theirs)
    assert (source == 0).any(), "some positions are no words"
    assert (source != 0).any(1).all()


def test_positions_are_sines_and_cosines() -> None:
    net = archspec.load("transformer", width=64, heads=1, hidden=8, depth=1, vocabulary=3, length=100)
    module = net.to_torch().eval().get_submodule("source_positions")
    words = torch.randn(1, 100, 64)
    with torch.no_grad():
        found = module(words)[0] - 8 * words[0]
    torch.testing.assert_close(found, positions(100, 64, words.device), rtol=0, atol=1e-4)
