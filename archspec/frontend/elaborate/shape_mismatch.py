"""Shape mismatches: the fix suggested for inputs whose shapes differ, and the sizes `align: center_crop` cuts to."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.frozen import frozen
from archspec.ir.graph import Value
from archspec.ir.types import TensorType


@frozen
class LabelledValue:
    """An input of a node, with the label a note gives it."""

    label: str
    value: Value
    remark: str = ""

    @property
    def type(self) -> TensorType:
        return self.value.type


def crop_sizes(types: Sequence[TensorType]) -> list[tuple[int, ...] | None]:
    """For each type the spatial sizes to crop it to, the smallest along each axis; None if it has them already."""
    if len({type.rank for type in types}) > 1:
        return [None] * len(types)
    smallest = tuple(min(sizes) for sizes in zip(*(type.spatial for type in types), strict=True))
    return [None if type.spatial == smallest else smallest for type in types]


def suggest_fix(op: str, inputs: Sequence[LabelledValue], *, are_paths: bool) -> str | None:
    """The help for inputs of `op` whose shapes do not fit.

    The first input is assumed to be right, or the first without axes that are repeated.

    Args:
        op: the kind of the op.
        inputs: its inputs.
        are_paths: whether they are the results of paths, which a structure can crop.
    """
    if len({value.type.rank for value in inputs}) > 1:
        return "give all of them the same number of axes, with `flatten` or `reshape`"
    types = [value.type for value in inputs]
    whole = [type for type in types if 1 not in type.sizes]
    wanted = types[0] if op == "concat" or not whole else whole[0]
    other = next((value for value in inputs if _differs(op, value.type, wanted)), None)
    if other is None:
        return None
    reference = wanted
    if op != "concat":
        wanted = _without_broadcast_axes(other.type, wanted)
    smaller, larger = _factors(other.type, wanted), _factors(wanted, other.type)
    if op != "concat" and (other.type.channels != wanted.channels or _strides(other.type, wanted)):
        return _projection(other, wanted)
    if larger is not None:
        return f"enlarge {_title(other)}: upsample {{scale: {_number(larger)}}}"
    if smaller is not None:
        return f"shrink {_title(other)}: max_pool {{kernel: {_number(smaller)}}}"
    if are_paths:
        return "pad the paths so that their sizes stay equal, or crop them to the smallest with align: center_crop"
    return _resizing(other, next(value for value in inputs if value.type is reference))


def _resizing(value: LabelledValue, wanted: LabelledValue) -> str:
    """The ops that give a value the spatial size of another, whatever the size of the input is."""
    pairs = list(zip(value.type.spatial, wanted.type.spatial, strict=True))
    larger, smaller = (value, wanted) if all(a >= b for a, b in pairs) else (wanted, value)
    resize = f"resize '{value.label}' with upsample_like: [{value.label}, {wanted.label}]"
    if all(a >= b for a, b in zip(larger.type.spatial, smaller.type.spatial, strict=True)):
        return f"crop '{larger.label}' with crop_like: [{larger.label}, {smaller.label}], or {resize}"
    return resize


def _differs(op: str, type: TensorType, wanted: TensorType) -> bool:
    if op == "concat":
        return type.spatial != wanted.spatial
    return type.sizes != _without_broadcast_axes(type, wanted).sizes


def _without_broadcast_axes(type: TensorType, wanted: TensorType) -> TensorType:
    """The wanted type, with the sizes of `type` along the axes that are repeated."""
    pairs = zip(type.sizes, wanted.sizes, strict=True)
    return wanted.with_sizes(*(size if 1 in (size, other) else other for size, other in pairs))


def _projection(value: LabelledValue, wanted: TensorType) -> str:
    """The layer that projects a value to the wanted shape, or the shape itself if a single layer cannot."""
    if wanted.rank == 2:
        return f"project {_title(value)}: linear {wanted.channels}"
    strides = _strides(value.type, wanted)
    if strides is None:
        return f"bring {_title(value)} to the size {list(wanted.spatial)} and to {wanted.channels} channels"
    stride = f", stride: {_number(strides)}" if set(strides) != {1} else ""
    return f"project {_title(value)}: conv {{channels: {wanted.channels}, kernel: 1{stride}}}"


def _factors(type: TensorType, wanted: TensorType) -> list[int] | None:
    """The whole factors by which the spatial sizes of `type` exceed those wanted; None if they are not whole."""
    pairs = list(zip(type.spatial, wanted.spatial, strict=True))
    return [old // new for old, new in pairs] if all(old % new == 0 for old, new in pairs) else None


def _strides(type: TensorType, wanted: TensorType) -> list[int] | None:
    """The strides of a 1x1 convolution that reduces the spatial sizes of `type` to those wanted; None if none do."""
    strides = [-(-old // new) for old, new in zip(type.spatial, wanted.spatial, strict=True)]
    fits = all(-(-old // s) == new for old, new, s in zip(type.spatial, wanted.spatial, strides, strict=True))
    return strides if fits else None


def _number(values: Sequence[int]) -> int | list[int]:
    return values[0] if len(set(values)) == 1 else list(values)


def _title(value: LabelledValue) -> str:
    return f"the {value.label}" if value.label in ("shortcut", "layers") else f"'{value.label}'"
