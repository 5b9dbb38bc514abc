"""The zoo's networks against torchvision's: its weights load unchanged, and the outputs are the same."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

import archspec
from tests.tv import NAMES, meta_model, tensors
from tests.zoo.small import small


def pair(name: str) -> tuple[nn.Module, nn.Module]:
    """torchvision's network with random weights, and ours with the same: parameters shared, buffers copied."""
    theirs = copy.deepcopy(meta_model(name)).to_empty(device="cpu")
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in theirs.parameters():
            bound = parameter[0].numel() ** -0.5
            parameter.uniform_(-bound, bound) if parameter.dim() > 1 else parameter.uniform_(0.5, 1.5)
        for key, buffer in theirs.named_buffers():
            buffer.fill_(1 if key.endswith("running_var") else 0)
    with torch.device("meta"):
        ours = archspec.load(name).to_torch()
    buffers = {key: buffer.clone() for key, buffer in theirs.named_buffers()}
    ours.load_state_dict({**theirs.state_dict(), **buffers}, assign=True)
    return theirs, ours


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_torchvisions(name: str) -> None:
    """In eval and in train mode, on the same weights and the same random numbers for dropout."""
    theirs, ours = pair(name)
    images = torch.randn(2, *small(name).inputs["input"])
    for training in (False, True):
        theirs.train(training)
        ours.train(training)
        with torch.no_grad():
            torch.manual_seed(1)
            expected = tensors(theirs(images))
            torch.manual_seed(1)
            got = tensors(ours(images))
        for mine, other in zip(got, expected, strict=True):
            assert other.abs().max() > 0
            assert (mine - other).abs().max() <= 1e-5 * other.abs().max()
    for key, tensor in theirs.named_buffers():
        torch.testing.assert_close(ours.get_buffer(key), tensor, msg=key)


@pytest.mark.parametrize("name", ["resnet18", "alexnet"])
def test_gradients_are_torchvisions(name: str) -> None:
    """Overwriting activations in place leaves the backward pass what it is."""
    theirs, ours = pair(name)
    images = torch.randn(2, 3, 64, 64)
    gradients: list[dict[str, torch.Tensor | None]] = []
    for model in (theirs, ours):
        model.train()
        torch.manual_seed(1)
        model(images).square().mean().backward()
        gradients.append({key: parameter.grad for key, parameter in model.named_parameters()})
    for key, gradient in gradients[0].items():
        assert gradient is not None
        torch.testing.assert_close(gradients[1][key], gradient, rtol=1e-4, atol=1e-6, msg=key)
