"""The choices of precision and memory layout, by the names users give them."""

from __future__ import annotations

from typing import Literal, get_args

Precision = Literal["float32", "bfloat16", "float16"]
"""What a network computes in."""

Layout = Literal["contiguous", "channels_last", "auto"]
"""How images lie in memory; `auto` is what the device is known to run fastest."""

PRECISIONS: tuple[str, ...] = get_args(Precision)
LAYOUTS: tuple[str, ...] = get_args(Layout)
