"""Receptive fields: the input positions that an output position depends on, through branches, joins and decoders.

For every spatial axis of an input, each value has a track: its own axis that follows the input axis, and the window it
reads along it. Nodes compose windows; joins take their union.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from archspec.frozen import frozen
from archspec.ir.graph import Graph, Node, Value
from archspec.ir.types import TensorType
from archspec.ir.window import IDENTITY, NOT_READ, Footprint, Window
from archspec.ops import Op
from archspec.ops.footprint import compose, join

Track = tuple[int, Window] | None
"""The axis of a value that follows an input axis, and its window; None where each position sees the whole axis."""


MOST_LISTED = 2**18
"""The most ends of runs that the windows of a graph list together; any real network lists far fewer.

Once there are more, an axis whose window is more than one run counts as seen completely.
"""

MOST_FIELDS = 250_000
"""The most fields of what nodes read, on all inputs together, that are computed for a summary; they take seconds."""


@frozen(enforced=True)
class ReceptiveField:
    """The receptive field of a value along each spatial axis of an input; None where it sees the whole axis.

    Output position i sees positions among the `size` ones from `i * stride + offset` on: all of them, unless a dilated
    convolution leaves gaps. The window of the axis has each position. Negative positions and positions past the end
    are padding. After a decoder the field depends on the position, and `size` is the maximum.
    """

    tracks: tuple[Track, ...]

    @property
    def windows(self) -> tuple[Window | None, ...]:
        return tuple(track[1] if track else None for track in self.tracks)

    @property
    def everything(self) -> bool:
        """Whether every position sees the whole input."""
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
        """`{size, stride, offset}` with one number per axis, or None where the field is the whole input."""
        if self.everything:
            return None
        return {
            "size": list(self.size),
            "stride": [_number(value) for value in self.stride],
            "offset": [_number(value) for value in self.offset],
        }


def receptive_fields(graph: Graph, source: Value) -> dict[Value, ReceptiveField]:
    """The fields on one input of a graph, of every value that depends on it."""
    fields = {source: ReceptiveField(tuple((axis, IDENTITY) for axis in range(2, source.type.rank)))}
    listed = 0
    for node in graph.nodes:
        if len(node.inputs) == 1 and type(node.op).footprint is Op.footprint:  # most are: position by position
            field = fields.get(node.inputs[0])
        else:
            field = _field(node, fields)
            if field is not None and (count := sum(map(_listed, field.tracks))):
                listed += count
                if listed > MOST_LISTED:
                    field = ReceptiveField(tuple([None if _listed(track) else track for track in field.tracks]))
        if field is not None:
            for value in node.outputs:
                fields[value] = field
    return fields


def _listed(track: Track) -> int:
    """The ends of runs that a window lists; 0 if it is one run that moves on with the position."""
    if track is None:
        return 0
    first, *others = track[1].reaches
    count = len(first or ()) + sum([len(reach or ()) for reach in others])
    return count if count > 2 else 0


def _field(node: Node, fields: Mapping[Value, ReceptiveField]) -> ReceptiveField | None:
    """The field of a node's outputs, from the fields of its inputs; None if they see nothing.

    A field is a product over the axes: a value that sees nothing along one of them sees nothing.
    """
    read: list[tuple[Track, ...]] = []
    inputs, outputs = node.input_types, node.output_types
    for index, value in enumerate(node.inputs):
        if value in fields:
            footprint = node.op.footprint(inputs, outputs, index)
            if footprint is not NOT_READ:
                tracks = _through(fields[value].tracks, footprint)
                if not any(_is_blind(track, outputs[0]) for track in tracks):
                    read.append(tracks)
    return ReceptiveField(tuple([_joined(tracks) for tracks in zip(*read, strict=True)])) if read else None


def _through(tracks: Sequence[Track], footprint: Footprint) -> tuple[Track, ...]:
    """The tracks of a node's output that reads an input with these tracks. Axes that are read alike share a window."""
    through: list[Track] = []
    outer: Window | None = None
    inner: Window | None = None
    composed: Window | None = None
    for track in tracks:
        found: Track = None
        for axis, (input_axis, window) in footprint.items() if track else ():
            if track and input_axis == track[0]:
                if window is not outer or track[1] is not inner:
                    outer, inner = window, track[1]
                    composed = compose(outer, inner)
                found = None if composed is None else (axis, composed)
                break
        through.append(found)
    return tuple(through)


def _is_blind(track: Track, type: TensorType) -> bool:
    """Whether no position of a value of this type sees anything along an input axis."""
    if track is None:
        return False
    axis, window = track
    return not any(window.reaches[: type.sizes[axis - 1]])


def _joined(tracks: Sequence[Track]) -> Track:
    """The track of a node that reads several values: one that sees what any of them sees."""
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
