"""Modules of generated source: convolutions with padding of their own on each side."""

import torch.nn.functional as F
from torch import Tensor, nn

from archspec.lower.torch.helpers.padding import same_pads


class SameConv2d(nn.Conv2d):
    """A convolution with `same` padding: each output size is the input's / stride."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = list(self.kernel_size), list(self.stride)
        pads = same_pads(x, kernel, stride, list(self.dilation))
        return self._conv_forward(F.pad(x, pads), self.weight, self.bias)


class PaddedConv2d(nn.Conv2d):
    """A convolution with its own padding on each side."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        pads: tuple[int, ...],
        stride: int | tuple[int, int] = 1,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        self.pads = pads

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(F.pad(x, self.pads), self.weight, self.bias)


class EdgeConv2d(nn.Conv2d):
    """A convolution whose padding repeats its input: its own on each side, or `same`.

    With `same` padding each output size is the input's / stride, rounded up.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        mode: str,
        pads: tuple[int, ...] | None = None,
        stride: int | tuple[int, int] = 1,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        self.mode = mode
        self.pads = None if pads is None else list(pads)

    def forward(self, x: Tensor) -> Tensor:
        pads = self.pads
        if pads is None:
            kernel, stride = list(self.kernel_size), list(self.stride)
            pads = same_pads(x, kernel, stride, list(self.dilation))
        x = F.pad(x, pads, mode=self.mode)
        return self._conv_forward(x, self.weight, self.bias)


class CroppedConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution that crops its own number of rows from each side."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        crop: tuple[int, ...],
        stride: int | tuple[int, int] = 1,
        output_padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            output_padding=output_padding,
            groups=groups,
            bias=bias,
            dilation=dilation,
        )
        self.crop = tuple(-rows for rows in crop)

    def forward(  # type: ignore[override]
        self, x: Tensor
    ) -> Tensor:
        y = F.conv_transpose2d(
            x,
            self.weight,
            self.bias,
            self.stride,
            output_padding=self.output_padding,
            groups=self.groups,
            dilation=self.dilation,
        )
        return F.pad(y, self.crop)
