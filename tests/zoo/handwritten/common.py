"""What the hand-written networks have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

Maker = Callable[[], nn.Module]

Conv3 = partial(nn.Conv2d, kernel_size=3, padding=1, bias=False)
Conv1 = partial(nn.Conv2d, kernel_size=1, bias=False)
