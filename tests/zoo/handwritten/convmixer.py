"""ConvMixer, named as in timm."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker


class Residual(nn.Module):
    def __init__(self, fn: nn.Module) -> None:
        super().__init__()
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:
        return x + self.fn(x)


class ConvMixer(nn.Module):
    def __init__(self, width: int, depth: int, kernel: int, patch: int) -> None:
        super().__init__()

        def after(conv: nn.Module) -> list[nn.Module]:
            return [conv, nn.ReLU(), nn.BatchNorm2d(width)]

        self.stem = nn.Sequential(*after(nn.Conv2d(3, width, patch, patch)))
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(
                    Residual(nn.Sequential(*after(nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)))),
                    *after(nn.Conv2d(width, width, 1)),
                )
                for _ in range(depth)
            )
        )
        self.head = nn.Linear(width, 1000)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


MAKERS: Mapping[str, Maker] = {"convmixer_768_32": lambda: ConvMixer(768, 32, 7, 7)}
