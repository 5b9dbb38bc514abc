"""Paths that meet: how large ones are cut to fit, and what would make unequal ones equal."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.frontend.nodes import Source
from archspec.ir.types import TensorType


def crop_sizes(types: Sequence[TensorType]) -> list[tuple[int, ...] | None]:
    """For each type the spatial size to cut it to, the smallest along each axis; None where it has it already."""
    if len({type.rank for type in types}) > 1:
        return [None] * len(types)
    smallest = tuple(min(sizes) for sizes in zip(*(type.spatial for type in types), strict=True))
    return [None if type.spatial == smallest else smallest for type in types]


def projection(ends: Sequence[Source]) -> str | None:
    """The help for a residual whose shortcut does not fit: the convolution that would make it fit, if one would."""
    if len(ends) != 2:
        return None
    wanted, have = (end.value.type for end in ends)
    if wanted.rank != have.rank or wanted.rank < 3:
        return None
    strides = [-(-old // new) for old, new in zip(have.spatial, wanted.spatial, strict=True)]
    if any(-(-old // s) != new for old, new, s in zip(have.spatial, wanted.spatial, strides, strict=True)):
        return None
    stride = strides[0] if len(set(strides)) == 1 else strides
    shown = f", stride: {stride}" if stride != 1 else ""
    return f"project the shortcut: conv {{channels: {wanted.channels}, kernel: 1{shown}}}"
