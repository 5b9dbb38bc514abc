"""What Hypothesis throws at the front end: specs gone wrong, as text and as trees, and expressions gone right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from archspec import zoo
from archspec.diagnostics import ArchspecError, Source
from archspec.frontend.yaml.tree import Tree, YamlMapping, YamlScalar
from archspec.frontend.yaml.tree import parse as parse_yaml

CORPUS = Path(__file__).parent / "faulty"

WORDS = (
    "conv", "relu", "linear", "add", "concat", "flatten", "batch_norm", "max_pool", "sequential", "residual",
    "parallel", "repeat", "side", "prev", "input", "layers", "paths", "join", "over", "as", "index", "times",
    "when", "name", "from", "share", "init", "weight", "trainable", "params", "variants", "blocks", "args",
    "naming", "outputs", "expect", "default", "in.channels", "in.shape", "in.spatial", "width", "depth",
    "channels", "kernel", "stride", "padding", "groups", "bias", "same", "valid", "true", "false", "null", "no",
    "on", "yes", "~", "$i", "$width", "$(i)", "$$", "archspec",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 3, 7, 64, 10**6, 10**9, 2**31, 2**63, 10**40, -(10**40), 0.5, -0.0, 1e-300, 1e308, 2.0)
EXPRESSIONS = (
    "9 ** 9 ** 9", "range(10 ** 9)", "[1] * 10 ** 9", "1 / 0", "width", "2 * width + 1", "in.channels // 2", "(((1",
    "1 +", "'a' in [1, 2]", "depth - 1", "[[1, 2], [3]]", "not 1", "max([])", "sqrt(-1)", "x if y else z", "----1",
)  # fmt: skip
MARKS = (
    "\t", "\x00", "\x1b[31m", "\u202e", "\ufeff", "\x85", "\u2028", "\r\n", "\r", "&a ", "*a", "!!int ", "<<: ",
    "---\n", "...\n", "{", "}", "[", "]", ": ", "- ", "'", '"', "#", "|\n", ">-\n", "? ", "%TAG", "\U0001f600", "é",
    "卷積",
)  # fmt: skip


def _seeds() -> list[str]:
    """Specs to start from: the zoo, and the corpus of faulty ones that are text and small."""
    texts = [path.read_text("utf-8") for path in zoo.files()]
    for path in sorted(CORPUS.glob("*.yaml")):
        data = path.read_bytes()
        if len(data) < 2_000 and not path.stem.startswith("limits_"):
            texts.append(data.decode("utf-8", "replace"))
    return texts


SEEDS = _seeds()

scraps = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(EXPRESSIONS),
    st.sampled_from(MARKS),
    st.sampled_from(NUMBERS).map(str),
    st.text(max_size=12),
)
"""Pieces that mean something somewhere in a spec, and pieces that mean nothing."""


@st.composite
def mutated_texts(draw: st.DrawFn) -> str:
    """The text of a spec with stretches of it cut, doubled, replaced, moved, or grafted from another spec."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        stop = draw(st.integers(start, min(len(text), start + 200)))
        piece = text[start:stop]
        other = draw(st.sampled_from(SEEDS))
        at = draw(st.integers(0, len(other)))
        new = draw(
            st.one_of(
                st.just(""),
                st.just(piece + piece),
                scraps,
                scraps.map(lambda scrap, piece=piece: piece + scrap),
                st.just(other[at : at + 80]),
                st.just("\n".join(reversed(piece.split("\n")))),
            )
        )
        text = text[:start] + new + text[stop:]
    return text


def plain(tree: Tree) -> Any:
    """A tree as plain data."""
    if isinstance(tree, YamlScalar):
        return tree.value
    if isinstance(tree, YamlMapping):
        return {key.text: plain(item) for key, item in tree.entries}
    return [plain(item) for item in tree.items]


def _trees() -> list[Any]:
    found = []
    for text in SEEDS:
        try:
            found.append(plain(parse_yaml(Source("seed", text))[0]))
        except ArchspecError:
            continue
    return [tree for tree in found if isinstance(tree, dict)]


TREES = _trees()

leaves = st.one_of(scraps, st.sampled_from(NUMBERS), st.booleans(), st.none())
grafts = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
"""Small trees to put in the place of others."""


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to every node of plain data, the root's among them."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def at(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


@st.composite
def mutated_trees(draw: st.DrawFn) -> str:
    """A spec as JSON, which is YAML too, with nodes of it deleted, doubled, swapped, renamed or replaced."""
    tree = json.loads(json.dumps(draw(st.sampled_from(TREES))))
    for _ in range(draw(st.integers(1, 5))):
        *outer, last = draw(st.sampled_from(places(tree)[1:] or [("archspec",)]))
        holder = at(tree, tuple(outer))
        action = draw(st.sampled_from(("delete", "replace", "graft", "double", "rename")))
        if action == "delete" and last in (holder if isinstance(holder, dict) else range(len(holder))):
            del holder[last]
        elif action == "double" and isinstance(holder, list):
            holder.insert(last, json.loads(json.dumps(holder[last])))
        elif action == "rename" and isinstance(holder, dict) and last in holder:
            holder[draw(st.sampled_from(WORDS) | scraps)] = holder.pop(last)
        elif action == "graft":
            other = draw(st.sampled_from(TREES))
            holder[last] = json.loads(json.dumps(at(other, draw(st.sampled_from(places(other))))))
        else:
            holder[last] = draw(grafts)
    return json.dumps(tree, indent=draw(st.sampled_from((None, 1))), ensure_ascii=draw(st.booleans()))
