"""Receptive fields: which input positions an output position can see, through branches, joins and decoders.

Each value carries, for every spatial axis of the network's input, the axis of its own that follows it and the window
that looks back along it; nodes compose windows, joins take their hull.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from archspec.ir.graph import Graph, Node, Value
from archspec.ir.operation import Operation
from archspec.ir.window import IDENTITY, NOT_READ, Footprint, Window
from archspec.ops import Op
from archspec.ops.base import pointwise
from archspec.ops.footprint import compose, join

Track = tuple[int, Window] | None
"""Which axis of a value follows an input axis, and how it looks back; None where every position sees it whole."""


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """The receptive field of a value along each spatial axis of the input; None where it sees the axis whole.

    Output position i sees the input positions from `i * stride + offset` on, `size` of them; negative positions and
    positions past the end are padding. Behind a decoder the field depends on the position: `size` is then the largest,
    and the window of the axis tells each.
    """

    tracks: tuple[Track, ...]

    @property
    def windows(self) -> tuple[Window | None, ...]:
        return tuple(track[1] if track else None for track in self.tracks)

    @property
    def everything(self) -> bool:
        """Whether every position sees all of the input."""
        return not any(self.tracks)

    @property
    def size(self) -> tuple[int | None, ...]:
        return tuple(window.size if window else None for window in self.windows)

    @property
    def stride(self) -> tuple[Fraction | None, ...]:
        return tuple(window.stride if window else None for window in self.windows)

    @property
    def offset(self) -> tuple[Fraction | None, ...]:
        return tuple(window.offset if window else None for window in self.windows)

    def as_json(self) -> dict[str, list[int | float | None]] | None:
        """`{size, stride, offset}` with one number an axis, or None where everything is seen."""
        if self.everything:
            return None
        return {
            "size": list(self.size),
            "stride": [_number(value) for value in self.stride],
            "offset": [_number(value) for value in self.offset],
        }


Composed = dict[tuple[int, int], Window | None]
"""Windows composed before, by the two they were made of: most nodes do the same along all axes."""


def receptive_fields(graph: Graph, source: Value | None = None) -> dict[Value, ReceptiveField]:
    """The field of every value that depends on one input of the graph, the first unless another is given."""
    source = source or graph.inputs[0]
    fields = {source: ReceptiveField(tuple((axis, IDENTITY) for axis in range(2, source.type.rank)))}
    views: dict[tuple[object, ...], Footprint] = {}
    for node in graph.nodes:
        if len(node.inputs) == 1 and _is_pointwise(node.op):
            field = fields.get(node.inputs[0])
        else:
            views_of = ((fields.get(value), _view(node, i, views)) for i, value in enumerate(node.inputs))
            field = _field([(seen, view) for seen, view in views_of if seen is not None and view is not NOT_READ])
        if field is not None:
            for value in node.outputs:
                fields[value] = field
    return fields


def _is_pointwise(op: Operation) -> bool:
    """Whether an op looks back at its inputs as most do, position by position, without asking it."""
    return type(op).footprint is Op.footprint


def _view(node: Node, index: int, views: dict[tuple[object, ...], Footprint]) -> Footprint:
    op = node.op
    if _is_pointwise(op):
        return pointwise(node.outputs[0].type)
    key = (id(op), index, *[id(value.type) for value in node.inputs])
    if key not in views:
        views[key] = op.footprint(node.input_types, node.output_types, index)
    return views[key]


def _field(seen: Sequence[tuple[ReceptiveField, Footprint]]) -> ReceptiveField | None:
    if not seen:
        return None
    axes = range(len(seen[0][0].tracks))
    composed: Composed = {}
    return ReceptiveField(
        tuple([_met([_through(field.tracks[axis], view, composed) for field, view in seen]) for axis in axes])
    )


def _through(track: Track, view: Footprint, composed: Composed) -> Track:
    """A track seen through a node: along the output axis that follows it, if one does."""
    if track is None:
        return None
    for axis, (old, window) in view.items():
        if old == track[0]:
            key = (id(window), id(track[1]))
            if key not in composed:
                composed[key] = compose(window, track[1])
            seen = composed[key]
            return None if seen is None else (axis, seen)
    return None


def _met(tracks: Sequence[Track]) -> Track:
    """The track of a node that reads several values."""
    first, *others = tracks
    for track in others:
        if first is None or track is None or first[0] != track[0]:
            return None
        window = join(first[1], track[1])
        first = None if window is None else (first[0], window)
    return first


def _number(value: Fraction | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)
