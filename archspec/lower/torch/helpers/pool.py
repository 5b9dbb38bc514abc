"""Modules of generated source: pooling with padding of its own on each side."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from archspec.lower.torch.helpers.padding import same_pads


class SameMaxPool2d(nn.Module):
    """Max pooling with `same` padding: each output size is the input's / stride."""

    def __init__(
        self,
        kernel_size: tuple[int, int],
        stride: tuple[int, int],
        dilation: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        self.kernel_size = list(kernel_size)
        self.stride = list(stride)
        self.dilation = list(dilation)

    def forward(self, x: Tensor) -> Tensor:
        pads = same_pads(x, self.kernel_size, self.stride, self.dilation)
        x = F.pad(x, pads, value=float("-inf"))
        return F.max_pool2d(x, self.kernel_size, self.stride, dilation=self.dilation)


class EvenMaxPool2d(nn.Module):
    """Max pooling with indices and `same` padding, which must be even."""

    def __init__(
        self,
        kernel_size: tuple[int, int],
        stride: tuple[int, int],
    ) -> None:
        super().__init__()
        self.kernel_size = list(kernel_size)
        self.stride = list(stride)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        pads = same_pads(x, self.kernel_size, self.stride, [1] * len(self.stride))
        if pads[::2] != pads[1::2]:
            raise ValueError(f"uneven padding {pads}: no indices at this size")
        return F.max_pool2d(
            x, self.kernel_size, self.stride, pads[::-2], return_indices=True
        )


class SameAvgPool2d(nn.Module):
    """Average pooling with `same` padding: each output size is the input's / stride."""

    def __init__(
        self,
        kernel_size: tuple[int, int],
        stride: tuple[int, int],
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = list(kernel_size)
        self.stride = list(stride)
        self.counted = float(count_include_pad)

    def forward(self, x: Tensor) -> Tensor:
        pads = same_pads(x, self.kernel_size, self.stride, [1] * len(self.stride))
        ones = F.pad(torch.ones_like(x[:1, :1]), pads, value=self.counted)
        return self.mean(F.pad(x, pads)) / self.mean(ones)

    def mean(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.kernel_size, self.stride)


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
