"""Values that meet: what they are called, how large ones are cut to fit, and what would make unequal ones equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archspec.ir.graph import Value
from archspec.ir.types import TensorType


@dataclass(frozen=True, slots=True)
class Source:
    """An input of a node, with the words a note calls it by."""

    label: str
    value: Value
    remark: str = ""

    @property
    def type(self) -> TensorType:
        return self.value.type


def crop_sizes(types: Sequence[TensorType]) -> list[tuple[int, ...] | None]:
    """For each type the spatial size to cut it to, the smallest along each axis; None where it has it already."""
    if len({type.rank for type in types}) > 1:
        return [None] * len(types)
    smallest = tuple(min(sizes) for sizes in zip(*(type.spatial for type in types), strict=True))
    return [None if type.spatial == smallest else smallest for type in types]


def remedy(join: str, sources: Sequence[Source], *, paths: bool) -> str | None:
    """The help for values that do not fit one another. The first of them is as it should be; for `mul` the largest is.

    `paths` says whether they are the ends of paths, which a structure can cut to fit.
    """
    if len({source.type.rank for source in sources}) > 1:
        return "bring all of them to one number of axes, with `flatten` or `reshape`"
    types = [source.type for source in sources]
    wanted = max(types, key=lambda tensor: tensor.elements) if join == "mul" else types[0]
    other = next((source for source in sources if _differs(join, source.type, wanted)), None)
    if other is None:
        return None
    if join == "mul":
        wanted = _where_not_one(other.type, wanted)
    smaller, larger = _factors(other.type, wanted), _factors(wanted, other.type)
    if join != "concat" and (other.type.channels != wanted.channels or _strides(other.type, wanted)):
        return _projection(other, wanted)
    if larger is not None:
        return f"enlarge {_the(other)}: upsample {{scale: {_number(larger)}}}"
    if smaller is not None:
        return f"shrink {_the(other)}: max_pool {{kernel: {_number(smaller)}}}"
    if paths:
        return "pad the paths so that they keep their size, or cut them to the smallest with align: center_crop"
    return "pad so that sizes stay, or cut the larger with `center_crop`"


def _differs(join: str, type: TensorType, wanted: TensorType) -> bool:
    if join == "mul":
        return type.sizes != _where_not_one(type, wanted).sizes
    return type.spatial != wanted.spatial if join == "concat" else type.sizes != wanted.sizes


def _where_not_one(type: TensorType, wanted: TensorType) -> TensorType:
    """The wanted type along the axes where `type` has no size of 1, which stands for every position of a product."""
    pairs = zip(type.sizes, wanted.sizes, strict=True)
    return wanted.with_sizes(*(have if 1 in (have, want) else want for have, want in pairs))


def _projection(source: Source, wanted: TensorType) -> str:
    """The layer that would bring a value to the wanted shape, or the shape, if no one layer would."""
    if wanted.rank == 2:
        return f"project {_the(source)}: linear {wanted.channels}"
    strides = _strides(source.type, wanted)
    if strides is None:
        return f"bring {_the(source)} to the size {list(wanted.spatial)} and to {wanted.channels} channels"
    stride = f", stride: {_number(strides)}" if set(strides) != {1} else ""
    return f"project {_the(source)}: conv {{channels: {wanted.channels}, kernel: 1{stride}}}"


def _factors(have: TensorType, wanted: TensorType) -> list[int] | None:
    """The whole numbers by which one spatial size is larger than another; None if it is not."""
    pairs = list(zip(have.spatial, wanted.spatial, strict=True))
    return [old // new for old, new in pairs] if all(old % new == 0 for old, new in pairs) else None


def _strides(have: TensorType, wanted: TensorType) -> list[int] | None:
    """The strides that bring one spatial size to another, in the way a 1x1 convolution goes; None if none do."""
    strides = [-(-old // new) for old, new in zip(have.spatial, wanted.spatial, strict=True)]
    fits = all(-(-old // s) == new for old, new, s in zip(have.spatial, wanted.spatial, strides, strict=True))
    return strides if fits else None


def _number(values: Sequence[int]) -> int | list[int]:
    return values[0] if len(set(values)) == 1 else list(values)


def _the(source: Source) -> str:
    return f"the {source.label}" if source.label in ("shortcut", "layers") else f"'{source.label}'"
