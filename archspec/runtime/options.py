"""The choices of precision and memory layout, by the names that users give. Importing it loads no library."""

from __future__ import annotations

from typing import Literal, get_args

Precision = Literal["float32", "bfloat16", "float16"]
"""The type of a network's weights and activations."""

Layout = Literal["contiguous", "channels_last", "auto"]
"""The memory layout of images; `auto` selects the one known to be fastest on the device."""

PRECISIONS: tuple[str, ...] = get_args(Precision)
LAYOUTS: tuple[str, ...] = get_args(Layout)
