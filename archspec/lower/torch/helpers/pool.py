"""Modules of generated source: pooling with padding of its own on each side."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PaddedMaxPool2d(nn.Module):
    """Max pooling with its own padding on each side."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int],
        pads: tuple[int, ...],
        dilation: int | tuple[int, int] = 1,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.pads = pads
        self.dilation = dilation

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, self.pads, value=float("-inf"))
        return F.max_pool2d(x, self.kernel_size, self.stride, dilation=self.dilation)


class PaddedAvgPool2d(nn.Module):
    """Average pooling with its own padding on each side.

    `pads` are zeros, which count in the mean if `count_include_pad`; the rows of
    `extra` only complete the last window and never count.
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int],
        pads: tuple[int, ...],
        extra: tuple[int, ...],
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.pads = pads
        self.extra = extra
        self.counted = float(count_include_pad)

    def forward(self, x: Tensor) -> Tensor:
        ones = F.pad(torch.ones_like(x[:1, :1]), self.pads, value=self.counted)
        return self.mean(F.pad(x, self.pads)) / self.mean(ones)

    def mean(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(F.pad(x, self.extra), self.kernel_size, self.stride)
