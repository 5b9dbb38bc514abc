"""MLP-Mixer, named as in timm."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker


class Mlp(nn.Module):
    def __init__(self, outside: int, inside: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(outside, inside), nn.Linear(inside, outside)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class Mixer(nn.Module):
    def __init__(self, width: int, patches: int) -> None:
        super().__init__()
        self.norm1, self.mlp_tokens = nn.LayerNorm(width, eps=1e-6), Mlp(patches, width // 2)
        self.norm2, self.mlp_channels = nn.LayerNorm(width, eps=1e-6), Mlp(width, 4 * width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mlp_tokens(self.norm1(x).mT).mT
        return x + self.mlp_channels(self.norm2(x))


class MlpMixer(nn.Module):
    def __init__(self, width: int, depth: int, patch: int, patches: int) -> None:
        super().__init__()
        self.stem = nn.Module()
        self.stem.proj = nn.Conv2d(3, width, patch, patch)
        self.blocks = nn.Sequential(*(Mixer(width, patches) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem.proj(x).flatten(2).mT
        return self.head(self.norm(self.blocks(x)).mean(1))


MAKERS: Mapping[str, Maker] = {"mixer_b16_224": lambda: MlpMixer(768, 12, 16, 14 * 14)}
