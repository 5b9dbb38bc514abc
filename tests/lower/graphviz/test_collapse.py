"""Equal scopes in a row are drawn once, different ones are not, and no node is lost."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.ir.graph import Graph, Node
from archspec.loading import parse
from archspec.lower.graphviz import draw
from archspec.lower.graphviz.collapse import DrawnItem, Group, collapse
from archspec.lower.graphviz.edges import edges
from tests.lower.graphviz.drawings import SPECS, ZOO, network, read

HEAD = "archspec: 1\nname: net\ninput: [8, 8, 8]\n"


def represented(items: Iterable[DrawnItem]) -> int:
    """The number of nodes that a diagram represents; the content of a frame counts `times` times."""
    count = 0
    for item in items:
        if isinstance(item, Node):
            count += 1
        elif item.is_collapsed:
            count += sum(1 for _ in item.nodes())
        else:
            count += item.times * represented(item.items)
    return count


def leaves(items: Iterable[DrawnItem]) -> set[DrawnItem]:
    """The items drawn as nodes."""
    found: set[DrawnItem] = set()
    for item in items:
        found |= leaves(item.items) if isinstance(item, Group) and not item.is_collapsed else {item}
    return found


def groups(items: Iterable[DrawnItem]) -> list[Group]:
    return [
        group
        for item in items
        if isinstance(item, Group)
        for group in (item, *groups(item.items))
    ]  # fmt: skip


def folds(spec: str, depth: int | None = None) -> list[int]:
    """The number of scopes of each repetition, in order."""
    graph = parse(HEAD + spec).graph
    return [group.times for group in groups(collapse(graph, depth, fold=True).items) if group.times > 1]


@pytest.mark.parametrize("depth", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("name", [*ZOO, *SPECS])
def test_folds_add_up(name: str, depth: int | None) -> None:
    graph = network(name)
    collapsed = collapse(graph, depth, fold=True)
    assert represented(collapsed.items) == len(graph.nodes)
    assert set(collapsed.shown_by) == set(graph.nodes)
    assert set(collapsed.shown_by.values()) == leaves(collapsed.items)


@pytest.mark.parametrize(
    ("name", "times"),
    # He et al. 2016, table 1, gives the blocks of each stage; the first of a stage differs, by its shortcut. A row of
    # two blocks of ResNet-18's first stage is alike.
    [("resnet18", [2]), ("resnet50", [2, 3, 5, 2]), ("resnet152", [2, 7, 35, 2])],
)
def test_blocks_of_a_residual_network(name: str, times: list[int]) -> None:
    graph = network(name)
    for depth in (None, 2):
        found = [group.times for group in groups(collapse(graph, depth, fold=True).items) if group.times > 1]
        assert found == times
    drawn = read(draw(graph, depth=2))
    labels = " ".join(looks["label"] for looks in drawn.nodes.values())
    assert all(f"×{count}</b>" in labels for count in times)


def test_by_default_a_depth_folds_and_full_detail_does_not() -> None:
    graph = network("resnet50")
    assert len(read(draw(graph)).nodes) == len(graph.nodes) + 2
    assert "layer3.5" not in read(draw(graph, depth=2)).nodes
    assert "layer3.5" in read(draw(graph, depth=2, fold=False)).nodes


def test_unnamed_iterations_are_folded_too() -> None:
    assert folds("layers: [repeat: {times: 4, layers: [conv: {channels: 8, kernel: 1}, relu]}]") == [4]
    nested = """
layers:
  - repeat:
      times: 3
      layers:
        - repeat: {times: 2, layers: [conv: {channels: 8, kernel: 1}, relu]}
        - max_pool: {kernel: 3, stride: 1, padding: 1}
"""
    assert folds(nested) == [3, 2]


def test_a_fold_keeps_one_iteration_with_its_arrows() -> None:
    graph = parse(HEAD + "layers: [repeat: {times: 4, layers: [conv: {channels: 8, kernel: 1}, relu]}, tanh]").graph
    assert read(draw(graph, fold=True)).arrows == {
        ("in/input", "conv"): 1,
        ("conv", "relu"): 1,
        ("relu", "tanh"): 1,
        ("tanh", "out/output"): 1,
    }


def test_a_value_read_in_every_iteration_has_one_arrow() -> None:
    spec = """
layers:
  - conv: {name: context, channels: 8, kernel: 1}
  - relu
  - repeat:
      times: 3
      index: i
      name: round$i
      layers: [relu, add: {from: [prev, context]}]
"""
    assert folds(spec) == [3]
    drawn = read(draw(parse(HEAD + spec).graph, depth=1))
    assert drawn.arrows[("context", "round0")] == 1


BLOCK = "blocks: {block: {args: {k: 3}, layers: [conv: {channels: 8, kernel: k, padding: same}, relu]}}\n"


@pytest.mark.parametrize(
    ("why", "spec"),
    [
        ("other attributes", BLOCK + "layers: [block: 3, block: 5]"),
        ("other shapes", "layers: [repeat: {times: 3, layers: [conv: {channels: 8, kernel: 3}, relu]}]"),
        ("another layer between", BLOCK + "layers: [block: 3, tanh, block: 3]"),
        ("side by side", BLOCK + "layers: [parallel: {join: add, paths: {a: [block: 3], b: [block: 3]}}]"),
        ("read later as well", BLOCK + "layers: [block: {name: a}, block: {name: b}, add: [a, b]]"),
        ("returned", BLOCK + "layers: [block: {name: a}, block: {name: b}]\noutputs: [a, b]"),
        ("shared weights", BLOCK + "layers: [block: {name: a}, block: {name: b, share: a}]"),
        (
            "other first values",
            """
layers:
  - sequential: {name: a, layers: [affine: {init: {weight: zeros}}, relu]}
  - sequential: {name: b, layers: [affine, relu]}
""",
        ),
        (
            "another wiring",
            """
blocks:
  plain: {layers: [relu: {name: x}, tanh: {name: y}, add: [x, y]]}
layers:
  - plain: {name: a}
  - sequential: {name: b, layers: [relu: {name: x}, tanh: {name: y}, add: [x, x]]}
""",
        ),
    ],
)
def test_what_is_not_the_same_is_not_folded(why: str, spec: str) -> None:
    assert folds(spec) == [], why


def test_a_row_ends_where_the_wiring_changes() -> None:
    def pair(name: str, reads: str) -> str:
        return f"sequential: {{name: {name}, from: [{reads}], layers: [add: {{name: p}}, relu: {{name: q}}]}}"

    swapped = [pair("a", "x, y"), pair("b", "a.p, a.q"), pair("c", "b.q, b.p")]
    assert folds(f"layers: [relu: {{name: x}}, tanh: {{name: y}}, {', '.join(swapped)}]") == [2]


def test_a_row_that_shares_the_weights_of_the_first_is_folded_without_it() -> None:
    spec = BLOCK + "layers: [block: {name: a}" + "".join(f", block: {{name: b{i}, share: a}}" for i in range(3)) + "]"
    assert folds(spec) == [3]


# --- laws ---

op = st.sampled_from(["relu", "tanh", "conv: {channels: 8, kernel: 1}", "max_pool: {kernel: 3, stride: 1, padding: 1}"])


def structure(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Structures without names, which may be anywhere."""
    layers = st.lists(inside, min_size=1, max_size=3).map(", ".join)
    return st.one_of(
        st.builds("repeat: {{times: {}, layers: [{}]}}".format, st.integers(0, 3), layers),
        st.builds("residual: {{layers: [{}]}}".format, layers),
        st.builds("sequential: {{layers: [{}]}}".format, layers),
        st.builds("parallel: {{join: add, paths: [[{}], [{}]]}}".format, layers, layers),
    )


unnamed = st.recursive(op, structure, max_leaves=6)
named = st.one_of(
    st.builds("sequential: {{name: s#, layers: [{}]}}".format, unnamed),
    st.builds("repeat: {{times: {}, index: i, name: r#n$i, layers: [{}]}}".format, st.integers(0, 3), unnamed),
    st.builds(
        "repeat: {{times: {}, index: i, name: r#n$i, layers: [{}, sequential: {{name: inner, layers: [{}]}}]}}".format,
        st.integers(0, 3), unnamed, unnamed,
    ),
    unnamed,
)  # fmt: skip
networks = st.lists(named, min_size=1, max_size=4).map(
    lambda layers: f"{HEAD}layers: [{', '.join(layer.replace('#', str(i)) for i, layer in enumerate(layers))}]"
)


@settings(max_examples=60)
@given(networks, st.none() | st.integers(0, 4), st.booleans())
def test_nothing_is_lost_and_arrows_only_point_forward(spec: str, depth: int | None, fold: bool) -> None:
    graph: Graph = parse(spec).graph
    collapsed = collapse(graph, depth, fold=fold)
    assert represented(collapsed.items) == len(graph.nodes)
    arrows = list(edges(graph, collapsed))
    known: set[object] = set(graph.inputs)
    for edge in arrows:
        assert edge.tail in known, "what is drawn can be ordered so that every arrow points forward"
        known.add(edge.head)
    assert known >= set(collapsed.shown_by.values())
    drawn = read(draw(graph, depth=depth, fold=fold))
    assert sum(drawn.arrows.values()) == len(arrows)
    opened = [group for group in groups(collapsed.items) if not group.is_collapsed]
    assert len(drawn.frames) == len(opened), "every frame has a unique name"
