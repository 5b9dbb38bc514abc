"""Fast style transfer, named as in pytorch/examples."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker


class ConvLayer(nn.Module):
    def __init__(self, before: int, channels: int, kernel: int = 3, stride: int = 1, upsample: int = 1) -> None:
        super().__init__()
        self.upsample = upsample
        self.conv2d = nn.Conv2d(before, channels, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        if self.upsample > 1:
            x = nn.functional.interpolate(x, scale_factor=self.upsample)
        return self.conv2d(nn.functional.pad(x, 4 * [self.conv2d.kernel_size[0] // 2], mode="reflect"))


class ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.in1 = ConvLayer(channels, channels), nn.InstanceNorm2d(channels, affine=True)
        self.conv2, self.in2 = ConvLayer(channels, channels), nn.InstanceNorm2d(channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.in2(self.conv2(self.in1(self.conv1(x)).relu()))


class StyleTransfer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for i, (before, channels, kernel, stride) in enumerate(((3, 32, 9, 1), (32, 64, 3, 2), (64, 128, 3, 2)), 1):
            setattr(self, f"conv{i}", ConvLayer(before, channels, kernel, stride))
            setattr(self, f"in{i}", nn.InstanceNorm2d(channels, affine=True))
        for i in range(1, 6):
            setattr(self, f"res{i}", ResidualBlock(128))
        self.deconv1, self.in4 = ConvLayer(128, 64, upsample=2), nn.InstanceNorm2d(64, affine=True)
        self.deconv2, self.in5 = ConvLayer(64, 32, upsample=2), nn.InstanceNorm2d(32, affine=True)
        self.deconv3 = ConvLayer(32, 3, 9)

    def forward(self, x: Tensor) -> Tensor:
        for conv, norm in (("conv1", "in1"), ("conv2", "in2"), ("conv3", "in3")):
            x = getattr(self, norm)(getattr(self, conv)(x)).relu()
        for i in range(1, 6):
            x = getattr(self, f"res{i}")(x)
        x = self.in4(self.deconv1(x)).relu()
        return self.deconv3(self.in5(self.deconv2(x)).relu())


MAKERS: Mapping[str, Maker] = {"style_transfer": StyleTransfer}
