"""What the parts of a random spec share: random numbers, the names in scope, and how items are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from archspec.ir.types import DType, TensorType
from archspec.ops import Op

Item = Any
"""An item of `layers`, as plain data."""

AWKWARD = (
    "list", "dict", "set", "print", "self", "x", "y", "torch", "nn", "functional", "keras", "layers", "ops", "weight",
    "bias", "cls", "Module", "Conv2d", "Tensor", "len", "tuple", "super", "inputs", "part-1", "part_1", "a-b-", "0-1",
)  # fmt: skip
"""Names that mean something else in Python, in a framework or in the language, or that Python cannot write."""


@dataclass
class Part:
    """Items one after the other, the type of what the last one returns, and its name if it has one."""

    items: list[Item]
    type: TensorType
    name: str | None = None


@dataclass
class Names:
    """The values and the weights that can be referred to inside one list of layers, by the names used there."""

    outer: Names | None = None
    values: dict[str, TensorType] = field(default_factory=dict)
    owners: dict[str, tuple[Op, TensorType]] = field(default_factory=dict)
    training: list[str] = field(default_factory=list)
    """The branches that run during training only."""

    def visible(self) -> dict[str, TensorType]:
        """Every value that can be referred to."""
        return {**(self.outer.visible() if self.outer else {}), **self.values}

    def visible_owners(self) -> dict[str, tuple[Op, TensorType]]:
        """Every layer whose weights can be shared: its op and the type of its input."""
        return {**(self.outer.visible_owners() if self.outer else {}), **self.owners}

    def close(self, inner: Names, *prefixes: str | None) -> None:
        """Add the names of a structure that is complete, once per prefix."""
        for prefix in prefixes:
            start = f"{prefix}." if prefix else ""
            self.values.update({start + name: type for name, type in inner.values.items()})
            self.owners.update({start + name: owner for name, owner in inner.owners.items()})
            self.training += [start + name for name in inner.training]


@dataclass
class Drawing:
    """A spec that is being drawn."""

    random: Random
    budget: int
    """How many more layers it may have, about."""
    theme: str
    """An op that is drawn more often than others, so that each has its networks."""
    inputs: dict[str, TensorType] = field(default_factory=dict)
    blocks: dict[str, Any] = field(default_factory=dict)
    awkward: list[str] = field(default_factory=list)
    counter: Iterator[int] = field(default_factory=count)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def name(self) -> str:
        """A name that nothing else has."""
        if self.awkward and self.chance(0.04):
            return self.awkward.pop()
        return f"n{next(self.counter)}"

    def pick(self, values: Mapping[str, TensorType], *ranks: int) -> str | None:
        """The name of one of the float values with one of these numbers of sizes; None if there is none."""
        fitting = [name for name, type in values.items() if type.dtype is DType.FLOAT32 and len(type.sizes) in ranks]
        return self.random.choice(fitting) if fitting else None


def plain(value: Any) -> Any:
    """A value of an attribute as JSON has it."""
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def written(op: Op, **keys: Any) -> Item:
    """An op as an item: its name alone, with its main attribute, or with a mapping; keys that are None are left out."""
    attributes = {name: plain(value) for name, value in op.explicit_attributes().items()}
    keys = {name.rstrip("_"): value for name, value in keys.items() if value is not None}
    if not attributes and not keys:
        return op.kind
    if not keys and list(attributes) == [op.shorthand]:
        return {op.kind: attributes[op.shorthand]}
    if not attributes and list(keys) == [op.shorthand]:
        return {op.kind: keys[op.shorthand]}
    return {op.kind: {**keys, **attributes}}
