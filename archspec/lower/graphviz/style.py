"""The style of diagrams: colours by family of op, shapes of nodes, and the settings of the layout.

The fills are tints of Paul Tol's light scheme (personal.sron.nl/~pault), which suits dark text and every kind of colour
vision. In grey the fills are hard to tell apart, so colour is only an aid: every node names its op.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archspec.ir.graph import Node
from archspec.ops import Op

Attributes = Mapping[str, str]

FONT = "Helvetica,Arial,sans-serif"
SMALL = 9
INK = "#1f2933"
FAINT = "#55616b"
REPEATED = "#1f5fa8"
_LINE = "#56616b"
_PAPER = "#ffffff"


@dataclass(frozen=True, slots=True)
class NodeColours:
    """The colours of a node."""

    fill: str
    line: str


_BY_FAMILY: Mapping[str, NodeColours] = {
    "conv": NodeColours("#b5d0ee", "#4f7fb5"),
    **dict.fromkeys(("pool", "reduce", "roi", "unpool"), NodeColours("#f6b59f", "#b9603f")),
    "linear": NodeColours("#9adcc6", "#2c8a6c"),
    **dict.fromkeys(("attention", "recurrent"), NodeColours("#ffd0d9", "#b85a70")),
    "norm": NodeColours("#e6e9a8", "#8c9238"),
    "parameters": NodeColours("#fbd3da", "#b0647a"),
    **dict.fromkeys(("activation", "dropout", "function"), NodeColours("#f7ebb6", "#b39a3a")),
    "merge": NodeColours(_PAPER, _LINE),
    **dict.fromkeys(("reshape", "shuffle", "spatial", "slicing"), NodeColours("#e4e6e9", "#8a939b")),
}
_OTHER = NodeColours("#e3d3ea", "#85669b")

_SYMBOLS: Mapping[str, str] = {"add": "+", "mul": "×"}
"""The ops that are drawn as a symbol."""

GRAPH: Attributes = {
    "bgcolor": _PAPER,
    "fontname": FONT,
    "fontsize": "11",
    "fontcolor": INK,
    "labeljust": "l",
    "nodesep": "0.3",
    "ranksep": "0.22",
    "pad": "0.15",
    "newrank": "true",
}
"""With `newrank`, edges between frames rank nodes like those inside, which keeps rows level and decoders upright."""
NODE: Attributes = {
    "fontname": FONT,
    "fontsize": "11",
    "fontcolor": INK,
    "shape": "box",
    "style": "rounded,filled",
    "penwidth": "0.9",
    "margin": "0.12,0.06",
    "height": "0.3",
    "width": "0.4",
}
EDGE: Attributes = {"color": _LINE, "penwidth": "1", "arrowsize": "0.6"}
SLIM: Attributes = {"fontsize": "10", "height": "0.2", "width": "0.9", "margin": "0.1,0.02"}
SYMBOL: Attributes = {"shape": "circle", "fixedsize": "true", "width": "0.26", "fontsize": "13", "margin": "0"}
COLLAPSED: Attributes = {"color": _LINE, "fillcolor": "#f3f5f8", "penwidth": "1.1"}
REPEATED_COLLAPSED: Attributes = {**COLLAPSED, "color": REPEATED, "peripheries": "2"}
TERMINAL: Attributes = {"color": INK, "fillcolor": _PAPER, "penwidth": "1.6"}
TRAINING: Attributes = {"style": "rounded,filled,dashed"}
UPWARD: Attributes = {"dir": "back"}
LEVEL: Attributes = {"minlen": "0"}


def node_colours(node: Node) -> Attributes:
    """The colours of an op by its family; all unknown families share one pair."""
    colours = _BY_FAMILY.get(node.op.family, _OTHER)
    return {"color": colours.line, "fillcolor": colours.fill}


def symbol(node: Node) -> str | None:
    """The symbol of an op that is drawn as one."""
    return _SYMBOLS.get(node.op.kind) if len(node.inputs) > 1 else None


def is_slim(node: Node) -> bool:
    """Whether a node is drawn small: it handles each position by itself, without multiply-accumulates."""
    op = node.op
    assert isinstance(op, Op)
    inputs, outputs = node.input_types, node.output_types
    if op.cost(inputs, outputs).macs:
        return False
    footprints = (op.footprint(inputs, outputs, index) for index in range(len(inputs)))
    return all(window.size == window.stride == 1 for footprint in footprints for _, window in footprint.values())


def frame(level: int, *, is_repeated: bool) -> Attributes:
    """The frame of a group at a level of nesting. Its background differs from that of the frame around it."""
    return {
        "style": "rounded,filled",
        "fillcolor": "#f5f7f9" if level % 2 == 0 else _PAPER,
        "color": REPEATED if is_repeated else "#b8c0c8",
        "penwidth": "1.2" if is_repeated else "0.8",
        "margin": "8",
    }


def main_path(*, within_frame: bool) -> Attributes:
    """An arrow that should be straight and short, even more so within one frame."""
    return {"weight": "1010" if within_frame else "1000"}


def layout_limits(span: int) -> Attributes:
    """Limits on the effort of the layout, by the number of ranks that all arrows together span.

    For up to a few thousand ranks the best layout takes seconds. Densely connected networks have tens of thousands, for
    which it would take hours: the 27,809 of a DenseNet-121 of single layers took 27 s with these limits on one core.
    """
    if span <= 5_000:
        return {}
    if span <= 50_000:
        return {"nslimit": "1", "mclimit": "0.2"}
    return {"nslimit": "1", "nslimit1": "1", "mclimit": "0.05", "splines": "line"}
