"""WaveNet: gated causal convolutions, each heard at the end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from tests.zoo.handwritten.common import Maker


class WaveNet(nn.Module):
    def __init__(self, blocks: int, first: int) -> None:
        super().__init__()
        self.dilations = [1 << i % 10 for i in range(10 * blocks)]
        self.first = nn.Conv1d(256, 32, first, bias=False)
        self.filter, self.gate = (
            nn.ModuleList(nn.Conv1d(32, 32, 2, dilation=dilation) for dilation in self.dilations) for _ in "fg"
        )
        self.skip = nn.ModuleList(nn.Conv1d(32, 512, 1) for _ in self.dilations)
        self.dense = nn.ModuleList(nn.Conv1d(32, 32, 1) for _ in self.dilations[1:])
        self.post1, self.post2 = nn.Conv1d(512, 512, 1), nn.Conv1d(512, 256, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(functional.pad(x, (self.first.kernel_size[0] - 1, 0)))
        total = 0
        for i, dilation in enumerate(self.dilations):
            past = functional.pad(x, (dilation, 0))
            gated = self.filter[i](past).tanh() * self.gate[i](past).sigmoid()
            total = total + self.skip[i](gated)
            if i < len(self.dense):
                x = x + self.dense[i](gated)
        return self.post2(functional.relu(self.post1(functional.relu(total))))


MAKERS: Mapping[str, Maker] = {"wavenet": partial(WaveNet, 5, 2), "wavenet_block": partial(WaveNet, 1, 1)}
