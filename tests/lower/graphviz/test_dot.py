"""A diagram has all arrows of the graph and no others, at every depth and for all names."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygraphviz import AGraph

from archspec.diagnostics import ArchspecError
from archspec.ir.graph import Graph, Node, Output, Scope, Value
from archspec.ir.types import TensorType
from archspec.loading import parse
from archspec.lower.graphviz import Diagram, draw
from archspec.lower.graphviz.rendering import picture
from archspec.ops.activation import Relu
from tests.lower.graphviz.drawings import SPECS, ZOO, Arrow, network, read, uses

ALL = (*ZOO, *SPECS)


@pytest.mark.parametrize("name", ALL)
def test_every_use_of_a_value_is_an_arrow_and_there_are_no_others(name: str) -> None:
    graph = network(name)
    drawn = read(draw(graph))
    assert drawn.arrows == uses(graph)
    assert set(drawn.nodes) == {end for arrow in uses(graph) for end in arrow} | {node.name for node in graph.nodes}


def shown_by(graph: Graph, depth: int) -> dict[str, str]:
    """What shows each node: the scope around it at level `depth`, counted by names, or the node itself."""
    places = {node.name: node.name for node in graph.nodes}

    def enter(scope: Scope, level: int) -> None:
        for item in scope.items:
            if isinstance(item, Scope):
                inner = level + (item.name is not None)
                if item.name is not None and inner == depth:
                    places.update((node.name, item.name) for node in item.nodes())
                else:
                    enter(item, inner)

    enter(graph.body, 0)
    return places


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("name", ALL)
def test_a_collapsed_scope_has_the_arrows_that_cross_its_border(name: str, depth: int) -> None:
    graph = network(name)
    places = shown_by(graph, depth)
    between = {(places.get(tail, tail), places.get(head, head)) for tail, head in uses(graph)}
    drawn = read(draw(graph, depth=depth, fold=False))
    assert set(drawn.arrows) == {(tail, head) for tail, head in between if tail != head}
    assert set(drawn.nodes) == {place for arrow in uses(graph) for end in arrow if (place := places.get(end, end))}


def reached(arrows: Counter[Arrow], start: set[str]) -> set[str]:
    """All nodes that can be reached along the arrows."""
    found, new = set(start), set(start)
    while new:
        new = {head for tail, head in arrows if tail in new} - found
        found |= new
    return found


@pytest.mark.parametrize("depth", [None, 1, 2, 3])
@pytest.mark.parametrize("name", ALL)
def test_when_folded_every_node_is_on_a_path_from_inputs_to_outputs(name: str, depth: int | None) -> None:
    drawn = read(draw(network(name), depth=depth, fold=True))
    ends = set(drawn.nodes)
    assert reached(drawn.arrows, {end for end in ends if end.startswith("in/")}) == ends
    back = Counter((head, tail) for tail, head in drawn.arrows)
    outputs = {end for end in ends if end.startswith("out/")}
    assert reached(back, outputs) == ends
    assert len(drawn.nodes) <= len(read(draw(network(name), depth=depth, fold=False)).nodes)


def test_depth_0_is_one_box() -> None:
    drawn = read(draw(network("lenet5"), depth=0))
    assert len(drawn.nodes) == 3
    assert "<b>lenet5</b>" in "".join(node["label"] for node in drawn.nodes.values())


def test_a_network_without_layers() -> None:
    drawn = read(draw(parse("archspec: 1\nname: wire\ninput: [2]\nlayers: []\n").graph, depth=0))
    assert drawn.arrows == {("in/input", "out/output"): 1}


def test_frames_are_the_named_scopes() -> None:
    drawn = read(draw(network("inception")))
    inside = ("", ".one.unit", ".three", ".three.unit", ".three.unit_1", ".pool")
    assert set(drawn.frames) == {"aux.head", "main", *(f"{name}{part}" for name in "ab" for part in inside)}
    assert "<b>a</b>" in drawn.frames["a"]["label"]
    assert "inception" in drawn.frames["a"]["label"]
    assert "<b>one</b>" in drawn.frames["a.one.unit"]["label"], "a scope of one scope has no frame"


def test_nodes_that_run_only_in_training_are_dashed() -> None:
    drawn = read(draw(network("inception")))
    dashed = {name for name, looks in drawn.nodes.items() if "dashed" in looks.get("style", "")}
    assert dashed == {"aux.head.global_avg_pool", "aux.head.flatten", "aux.head.logits", "out/aux"}
    assert {arrow for arrow, looks in drawn.edges.items() if looks.get("style") == "dashed"} == {
        ("a.concat", "aux.head.global_avg_pool"),
        ("aux.head.global_avg_pool", "aux.head.flatten"),
        ("aux.head.flatten", "aux.head.logits"),
        ("aux.head.logits", "out/aux"),
    }
    assert "dashed" in drawn.frames["aux.head"]["style"]
    assert "dashed" in read(draw(network("inception"), depth=1)).nodes["aux"]["style"]


# --- decoders ---


def backwards(diagram: Diagram) -> set[Arrow]:
    return {arrow for arrow, looks in read(diagram).edges.items() if looks.get("dir") == "back"}


def test_a_decoder_is_drawn_upwards_beside_its_encoder() -> None:
    turned = backwards(draw(network("unet_padded")))
    assert ("u.down.up", "u.concat") in turned
    assert ("head", "out/output") in turned
    assert not any("encode" in tail and "encode" in head for tail, head in turned)
    ups = {node.name for node in network("unet_padded").nodes if node.op.kind == "conv_transpose"}
    assert ups <= {head for _, head in turned}
    rows = [line for line in draw(network("unet_padded")).source.splitlines() if "rank=same" in line]
    assert len(rows) == 5, "four skips (the paper's figure 1), and the input beside the output"


def positions(diagram: Diagram) -> dict[str, tuple[float, float]]:
    """Where Graphviz puts the nodes."""
    graph = AGraph(string=diagram.source)
    graph.layout(prog="dot")
    return {str(node): tuple(map(float, node.attr["pos"].split(","))) for node in graph.nodes()}  # type: ignore[misc]


@pytest.mark.parametrize(("rankdir", "along", "across"), [("TB", 1, 0), ("LR", 0, 1)])
@pytest.mark.parametrize("name", ["unet", "unet_padded"])
def test_the_u_is_upright(name: str, rankdir: str, along: int, across: int) -> None:
    places = positions(draw(network(name), rankdir=rankdir))
    sides = set()
    for node in network(name).nodes:
        if node.op.kind == "concat":
            (skip,) = [tail for tail, head in uses(network(name)) if head == node.name and not tail.endswith(".up")]
            assert places[skip][along] == places[node.name][along], "both ends of a skip are level"
            sides.add(places[skip][across] < places[node.name][across])
    assert len(sides) == 1, "the decoder stays on one side"
    assert places["in/input"][along] == places["out/output"][along]


def test_a_decoder_is_drawn_downwards_without_u_layout_or_without_skips() -> None:
    assert not backwards(draw(network("unet"), u_layout=False))
    assert not backwards(draw(network("unet"), depth=1)), "the skips are inside one box"
    straight = """
archspec: 1
name: autoencoder
input: [1, 8, 8]
layers:
  - conv: {channels: 4, kernel: 2, stride: 2}
  - upsample: 2
  - conv: {channels: 1, kernel: 3, padding: 1}
"""
    assert not backwards(draw(parse(straight).graph))


@pytest.mark.parametrize("name", ["resnet50", "inception", "dense", "fractal"])
def test_without_a_decoder_nothing_is_drawn_upwards(name: str) -> None:
    assert not backwards(draw(network(name)))


@pytest.mark.parametrize(
    ("name", "depth"), [("faster_rcnn_resnet50_fpn", 1), ("yolox_s", 2), ("vgg16_attention", None)]
)
def test_if_arrows_up_and_down_contradict_each_other_all_point_down(name: str, depth: int | None) -> None:
    """A box that contains encoder and decoder would have to be above itself."""
    assert not backwards(draw(network(name), depth=depth))


@pytest.mark.parametrize("layers", ["sigmoid: {name: y}, mul: [x, y]", "upsample: {name: y, size: 8}, concat: [x, y]"])
def test_expanding_a_pooled_value_is_no_decoder(layers: str) -> None:
    start = (
        "archspec: 1\nname: net\ninput: [4, 8, 8]\nlayers: [conv: {name: x, channels: 4, kernel: 1}, global_avg_pool, "
    )
    assert not backwards(draw(parse(f"{start}{layers}]").graph))


def test_an_encoder_after_a_decoder_is_drawn_downwards() -> None:
    layers = ["conv: {name: x0, channels: 2, kernel: 1}"]
    for i in range(2):
        layers += [f"max_pool: {{name: down{i}, kernel: 2}}", f"upsample: {{name: up{i}, scale: 2}}"]
        layers += [f"add: {{name: x{i + 1}, from: [x{i}, up{i}]}}"]
    text = f"archspec: 1\nname: hourglasses\ninput: [2, 8, 8]\nlayers: [{', '.join(layers)}]\n"
    assert backwards(draw(parse(text).graph)) == {
        ("down0", "up0"), ("up0", "x1"), ("down1", "up1"), ("up1", "x2"), ("x2", "out/output")
    }  # fmt: skip


def test_crossing_skips_of_unet_plus_plus() -> None:
    # Zhou et al. 2018, figure 1a, with two steps down: every x(i, j) is above x(i + 1, j - 1).
    text = """
archspec: 1
name: nested
input: [3, 8, 8]
layers:
  - conv: {name: x00, channels: 2, kernel: 1}
  - max_pool: 2
  - conv: {name: x10, channels: 2, kernel: 1}
  - max_pool: 2
  - conv: {name: x20, channels: 2, kernel: 1}
  - upsample: {name: u10, from: x10, scale: 2}
  - concat: {name: x01, from: [x00, u10]}
  - upsample: {name: u20, from: x20, scale: 2}
  - concat: {name: x11, from: [x10, u20]}
  - upsample: {name: u11, scale: 2}
  - concat: {name: x02, from: [x00, x01, u11]}
"""
    turned = backwards(draw(parse(text).graph))
    assert {("x10", "u10"), ("u10", "x01"), ("x20", "u20"), ("u20", "x11"), ("x11", "u11"), ("u11", "x02")} <= turned
    assert not turned & {("x00", "max_pool"), ("x00", "x01"), ("x10", "x11"), ("x00", "x02")}


# --- options ---


def test_the_effort_of_the_layout_is_limited_for_dense_graphs() -> None:
    assert "nslimit" not in draw(network("resnet152")).source
    layers = ["conv: {name: x0, channels: 4, kernel: 1}"]
    for i in range(1, 60):
        before = ", ".join(f"x{j}" for j in range(i))
        layers += [f"concat: {{from: [{before}]}}", "relu", f"conv: {{name: x{i}, channels: 4, kernel: 1}}"]
    text = f"archspec: 1\nname: dense\ninput: [4, 8, 8]\nlayers: [{', '.join(layers)}]\n"
    assert "nslimit=1" in draw(parse(text).graph).source


@pytest.mark.parametrize("rankdir", ["TB", "LR", "BT", "RL"])
def test_direction(rankdir: str) -> None:
    assert f"rankdir={rankdir}" in draw(network("lenet5"), rankdir=rankdir).source


def test_a_string_is_a_single_fact() -> None:
    assert draw(network("lenet5"), show="params") == draw(network("lenet5"), show=["params"])


def test_wrong_options_are_explained() -> None:
    for options, message, help in [
        ({"rankdir": "TD"}, "unknown direction 'TD'", "known here: TB, LR, BT, RL"),
        ({"show": ["shapes", "parms"]}, "unknown fact 'parms'", "did you mean 'params'?"),
        ({"depth": -1}, "the depth must be at least 0, not -1", None),
    ]:
        with pytest.raises(ArchspecError) as error:
            draw(network("lenet5"), **options)  # type: ignore[arg-type]
        (diagnostic,) = error.value.diagnostics
        assert (diagnostic.code, diagnostic.message) == ("wrong-value", message)
        assert help is None or diagnostic.help == help


# --- names ---


def chain(names: list[str], network: str = "chain") -> Graph:
    """A row of activations with these names."""
    tensor = TensorType((3,))
    value = Value(names[0], tensor)
    inputs = (value,)
    nodes: list[Node] = []
    for name in names:
        made = Value(name, tensor)
        nodes.append(Node(name, Relu(), (value,), (made,)))
        value = made
    inner = Scope("block", names[0] + names[-1], tuple(nodes), inputs, (value,), block=names[0], owner=names[-1])
    body = Scope("network", "", (inner,), inputs, (value,))
    return Graph(network, inputs, body, (Output(names[-1], value),))


EVIL = [
    '"', "\\", '\\"', "<b>", "<", ">", "a:b:c", "a -> b", '"]; evil [label="x', "evil;}", "// x", "/* x", "# x", "node",
    "subgraph", "\\N", "\\G", "\\l", "&lt;", "&#60;", "&", "%41", "%1", "=41", "=", "A", "a\nb", "\t", "\x00", "\ud800",
    "\u202e", " ", "", "é", "層", "😀", "-1", "1.5", "x" * 500, "]]>", "<!--", "<img src='/etc/passwd'/>", "<br/>",
    "in/x", "${x}",
]  # fmt: skip


def is_faithful(graph: Graph) -> None:
    """Assert that a diagram has the nodes and arrows of the graph, and labels that are well formed."""
    diagram = draw(graph)
    drawn = read(diagram)
    count = len(graph.nodes)
    assert len(drawn.nodes) == count + 2
    assert sum(drawn.arrows.values()) == count + 1
    assert len(drawn.frames) == 1
    for looks in (*drawn.nodes.values(), *drawn.frames.values()):
        tags = {element.tag for element in ElementTree.fromstring(f"<all>{looks['label']}</all>").iter()}
        assert tags <= {"all", "b", "br", "font"}


def test_no_name_is_interpreted_as_markup() -> None:
    graph = chain(EVIL, EVIL[8])
    is_faithful(graph)
    svg = picture(draw(graph).source, "svg").decode("utf-8")
    shown = ["".join(group.itertext()) for group in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}g")]
    for name in ('"]; evil [label="x', "\\N", "&lt;", "<b>", "層", "%41", "<img src='/etc/passwd'/>"):
        assert any(name in text for text in shown), f"{name!r} is shown unchanged"
    assert "passwd'/>" not in svg


@given(st.lists(st.text(), min_size=1, max_size=6, unique=True))
def test_any_names(names: list[str]) -> None:
    is_faithful(chain(names, names[0]))


# --- bytes ---


def test_same_spec_same_bytes(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text(SPECS["inception"])
    code = (
        "import sys; from archspec.loading import load; from archspec.lower.graphviz import draw\n"
        "sys.stdout.write(draw(load(sys.argv[1]).graph, show=('shapes', 'params', 'macs', 'field')).source)"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code, str(spec)], env={"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True, check=True, cwd=Path(__file__).parents[3],
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(made) == 1
    assert str(tmp_path).encode() not in made.pop()
