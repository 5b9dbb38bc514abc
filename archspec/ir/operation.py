"""What the graph and the passes know about an op: the `Operation` protocol and the types in its signature.

`archspec.ops.Op` implements the protocol; the IR itself imports no op.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from archspec.frozen import field, frozen
from archspec.ir.types import TensorType, Weight
from archspec.ir.window import Footprint


class OpError(Exception):
    """An op cannot take its inputs. Whoever applies the op adds the position and the shapes.

    `code` is a key of `archspec.diagnostic_codes.CODES`.
    """

    def __init__(self, code: str, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.help = code, message, help


@frozen(enforced=True)
class Cost:
    """Arithmetic of one forward pass of one sample.

    `macs` are multiply-accumulates; they form `dot_products` dot products, so they cost `macs` multiplications and
    `macs - dot_products` additions. `other` counts every other operation by its name (`add`, `compare`, `exp`, ...),
    and is never mixed with the MACs.
    """

    macs: int = 0
    dot_products: int = 0
    other: Mapping[str, int] = field(default_factory=dict)

    @property
    def operations(self) -> int:
        """Elementary operations: what the literature calls FLOPs when it counts a multiply-add as two."""
        return 2 * self.macs - self.dot_products + sum(self.other.values())

    def __add__(self, more: Cost) -> Cost:
        other = dict(self.other)
        for name, count in more.other.items():
            other[name] = other.get(name, 0) + count
        return Cost(self.macs + more.macs, self.dot_products + more.dot_products, other)


NO_COST = Cost()


class Operation(Protocol):
    """An op applied by a node: its attributes, and facts as functions of the types of its inputs."""

    @property
    def kind(self) -> str:
        """The name in YAML."""

    @property
    def family(self) -> str:
        """The kind of op it is, such as `pool`."""

    @property
    def inputs(self) -> int | None:
        """How many inputs it takes; None for one or more."""

    @property
    def ports(self) -> tuple[str, ...]:
        """The names of its outputs."""

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The types of the outputs, one per port.

        Raises:
            OpError: it cannot take these inputs.
        """

    def weights(self, inputs: Sequence[TensorType]) -> tuple[Weight, ...]:
        """The parameters and buffers it owns."""

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        """Its arithmetic for one sample."""

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        """What its outputs read of input number `index`; `NOT_READ` if only the sizes."""

    def explicit_attributes(self) -> dict[str, Any]:
        """The attributes that differ from their defaults, in the order they are declared."""

    def canonical_attributes(self) -> dict[str, Any]:
        """The attributes in one form for each meaning, without those that mean what their defaults do."""
