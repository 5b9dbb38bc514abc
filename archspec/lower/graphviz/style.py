"""How things look: colours by family of op, shapes of nodes, and the settings of the layout.

The fills are tints of Paul Tol's light scheme (personal.sron.nl/~pault), made for dark text on top and told apart with
every kind of colour vision. In grey they are close to one another, so colour only helps: every node says what it is.
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
MANY = "#1f5fa8"
_LINE = "#56616b"
_PAPER = "#ffffff"


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of a node."""

    fill: str
    line: str


_FAMILIES: Mapping[str, Look] = {
    "conv": Look("#b5d0ee", "#4f7fb5"),
    **dict.fromkeys(("pool", "reduce", "roi", "unpool"), Look("#f6b59f", "#b9603f")),
    "linear": Look("#9adcc6", "#2c8a6c"),
    "attention": Look("#ffd0d9", "#b85a70"),
    "norm": Look("#e6e9a8", "#8c9238"),
    "parameters": Look("#fbd3da", "#b0647a"),
    **dict.fromkeys(("activation", "dropout"), Look("#f7ebb6", "#b39a3a")),
    "merge": Look(_PAPER, _LINE),
    **dict.fromkeys(("reshape", "shuffle", "spatial", "slicing"), Look("#e4e6e9", "#8a939b")),
}
_OTHER = Look("#e3d3ea", "#85669b")

_SIGNS: Mapping[str, str] = {"add": "+", "mul": "×"}
"""The ops for which a sign is commoner than a name."""

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
"""`newrank` lets arrows between frames be as binding as those inside, which keeps rows level and decoders upright."""
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
SIGN: Attributes = {"shape": "circle", "fixedsize": "true", "width": "0.26", "fontsize": "13", "margin": "0"}
CLOSED: Attributes = {"color": _LINE, "fillcolor": "#f3f5f8", "penwidth": "1.1"}
MANY_CLOSED: Attributes = {**CLOSED, "color": MANY, "peripheries": "2"}
TERMINAL: Attributes = {"color": INK, "fillcolor": _PAPER, "penwidth": "1.6"}
TRAINING: Attributes = {"style": "rounded,filled,dashed"}
UP: Attributes = {"dir": "back"}
ACROSS: Attributes = {"minlen": "0"}


def colours(node: Node) -> Attributes:
    """The colours of an op, by the family it belongs to; an unknown family has colours of its own."""
    look = _FAMILIES.get(node.op.family, _OTHER)
    return {"color": look.line, "fillcolor": look.fill}


def sign(node: Node) -> str | None:
    """The sign of an op that is drawn as one."""
    return _SIGNS.get(node.op.kind)


def is_slim(node: Node) -> bool:
    """Whether a node is drawn small: it looks at each position alone, and multiplies nothing by weights."""
    op = node.op
    assert isinstance(op, Op)
    if op.cost(node.input_types, node.output_types).macs:
        return False
    views = (op.footprint(node.input_types, node.output_types, index) for index in range(len(node.inputs)))
    return all(window.size == window.stride == 1 for view in views for _, window in view.values())


def frame(level: int, *, many: bool) -> Attributes:
    """A frame around others, so many of them outside it; its ground differs from theirs."""
    return {
        "style": "rounded,filled",
        "fillcolor": "#f5f7f9" if level % 2 == 0 else _PAPER,
        "color": MANY if many else "#b8c0c8",
        "penwidth": "1.2" if many else "0.8",
        "margin": "8",
    }


def trunk(*, within: bool) -> Attributes:
    """An arrow that should be straight and short, above all `within` one frame."""
    return {"weight": "1010" if within else "1000"}


def effort(span: int) -> Attributes:
    """How hard the layout tries, by the rows that all arrows together bridge.

    Up to some thousands the best layout takes seconds. Densely connected networks have tens of thousands, for which
    it would take hours: 27,809 in a DenseNet-121 of single layers took 27 s with these settings on one core.
    """
    if span <= 5_000:
        return {}
    if span <= 50_000:
        return {"nslimit": "1", "mclimit": "0.2"}
    return {"nslimit": "1", "nslimit1": "1", "mclimit": "0.05", "splines": "line"}
