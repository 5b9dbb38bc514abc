"""Functions of generated source that initialize weights."""

import torch
from torch import Tensor


def bilinear_(weight: Tensor) -> None:
    """Let a transposed convolution interpolate each channel for itself."""
    kernel = torch.ones(())
    for size in weight.shape[2:]:
        distance = (torch.arange(size) - (size - 1) / 2).abs()
        kernel = kernel.unsqueeze(-1) * (1 - distance / ((size + 1) // 2))
    weight.data.zero_()
    for channel in range(weight.shape[0]):
        weight.data[channel, channel % weight.shape[1]] = kernel
