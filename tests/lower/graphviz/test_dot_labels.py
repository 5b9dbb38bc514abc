"""The text of nodes, frames and tooltips."""

from __future__ import annotations

import re
from typing import ClassVar

import pytest

from archspec.loading import parse
from archspec.lower.graphviz import draw, style
from archspec.lower.graphviz.formatting import _EXTENTS, _NAMED, details, format_count, is_automatic, readable
from archspec.lower.graphviz.labels import FACTS
from archspec.ops import OPS, Op
from archspec.ops.attribute_types import attributes_of
from tests.lower.graphviz.drawings import network, read
from tests.op_samples import GOOD, Sample


def written(layer: str, shape: str = "[3, 32, 32]") -> str:
    """The op of a layer and its attributes, as shown on its node."""
    (node,) = parse(f"archspec: 1\nname: net\ninput: {shape}\nlayers: [{layer}]\n").graph.nodes
    return f"{readable(node.op.kind)} {details(node)}".strip()


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        ("conv: {channels: 64, kernel: 7, stride: 2, padding: 3}", "conv 7×7 / 2, 64"),
        ("conv: {channels: 8, kernel: [1, 7], padding: same, bias: false}", "conv 1×7, 8"),
        ("conv: {channels: 8, kernel: 3, stride: [2, 1]}", "conv 3×3 / 2×1, 8"),
        ("conv: {channels: 6, kernel: 3, groups: 3}", "conv 3×3, 6, depthwise"),
        ("conv: {channels: 6, kernel: 3, dilation: 2}", "conv 3×3, 6, dilation 2"),
        ("conv_transpose: {channels: 6, kernel: 2, stride: 2}", "conv transpose 2×2 / 2, 6"),
        ("max_pool: 2", "max pool 2×2"),
        ("max_pool: {kernel: 3, stride: 2, ceil: true}", "max pool 3×3 / 2"),
        ("adaptive_avg_pool: 6", "adaptive avg pool 6×6"),
        ("global_avg_pool", "global avg pool"),
        ("linear: 10", "linear 10"),
        ("batch_norm: {eps: 0.001}", "batch norm"),
        ("local_response_norm: 5", "local response norm 5"),
        ("leaky_relu: 0.2", "leaky relu 0.2"),
        ("dropout: 0.25", "dropout 0.25"),
        ("softmax: {axis: -1}", "softmax axis -1"),
        ("upsample: 2", "upsample ×2"),
        ("upsample: {scale: 2, mode: bilinear}", "upsample ×2, bilinear"),
        ("pad: {padding: [[1, 2], [0, 0]], mode: reflect}", "pad 1+2×0+0, reflect"),
        ("permute: [2, 3, 1]", "permute 2, 3, 1"),
        ("select: [0, 1, 2]", "select 0, 1, 2"),
        (f"select: {[0, 1, 2] * 20}", "select 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1…"),
    ],
)
def test_an_op_in_short(layer: str, text: str) -> None:
    assert written(layer) == text


@pytest.mark.parametrize(
    ("shape", "text"), [("[2, 9]", "conv 3, 4"), ("[2, 9, 9]", "conv 3×3, 4"), ("[2, 9, 9, 9]", "conv 3×3×3, 4")]
)
def test_a_kernel_has_one_number_per_axis(shape: str, text: str) -> None:
    assert written("conv: {channels: 4, kernel: 3}", shape) == text


def test_the_names_of_attributes_are_those_of_ops() -> None:
    known = {name for op in OPS for name in attributes_of(op)}
    assert {*_EXTENTS, *_NAMED, "kernel", "stride", "groups", "scale"} <= known
    assert set(style._SYMBOLS) <= {op.kind for op in OPS}


@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.id)
def test_every_op_is_drawn(sample: Sample) -> None:
    drawn = read(draw(sample.graph, show=FACTS))
    assert set(drawn.nodes) == {
        "layer",
        *(f"in/x{i}" for i in range(len(sample.inputs))),
        *(f"out/y{i}" for i in range(len(sample.outputs))),
    }
    assert drawn.nodes["layer"]["fillcolor"] != style._OTHER.fill, "the families of all ops have colours"


def test_an_unknown_op_is_drawn() -> None:
    class Novel(Op):
        kind: ClassVar[str] = "novel_op"

        strength: int
        mode: str = "soft"

    sample = Sample(Novel(strength=3, mode="hard"), GOOD[0].inputs)
    looks = read(draw(sample.graph)).nodes["layer"]
    assert "novel op 3, hard" in looks["label"]
    assert looks["fillcolor"] == style._OTHER.fill


def test_fields_are_those_of_each_input() -> None:
    drawn = read(draw(parse("""
archspec: 1
name: rgbd
inputs: {rgb: [3, 32, 32], depth: [1, 32, 32]}
layers:
  - conv: {name: near, from: rgb, channels: 4, kernel: 3, padding: 1}
  - conv: {name: far, from: depth, channels: 4, kernel: 13, padding: 6}
  - concat: {name: both, from: [near, far]}
  - global_avg_pool: {name: gate, from: far}
outputs: [both, gate]
""").graph, show=["field"]))  # fmt: skip
    seen = {name: re.findall(r"sees [^<·]*[^<· ]", looks["label"]) for name, looks in drawn.nodes.items()}
    assert {name: lines for name, lines in seen.items() if lines} == {
        "near": ["sees 3×3 of rgb"], "far": ["sees 13×13 of depth"], "gate": ["sees all of depth"],
        "both": ["sees 3×3 of rgb", "sees 13×13 of depth"],
    }  # fmt: skip


def test_a_shape_is_shown_only_where_it_changes() -> None:
    graph = network("resnet18")
    drawn = read(draw(graph))
    assert "64×112×112" in drawn.label("conv1")
    assert "64×56×56" in drawn.label("maxpool")
    labels = [looks["label"] for name, looks in drawn.nodes.items() if name.startswith("layer1.")]
    assert len(labels) > 10
    assert not any("×56×56" in label for label in labels)
    assert not any("label" in looks and looks["label"] for looks in drawn.edges.values())


def test_an_attribute_that_equals_the_shape_is_shown_once() -> None:
    text = "archspec: 1\nname: net\ninput: [2, 8, 8]\nlayers: [center_crop: 4, max_pool: 2, flatten, linear: 9]\n"
    drawn = read(draw(parse(text).graph))
    assert drawn.label("linear") == "<b>linear</b> 9"
    assert drawn.label("center_crop").startswith("center crop <font")
    assert "2×4×4" in drawn.label("center_crop")
    assert drawn.label("max_pool").startswith("<b>max pool</b> 2×2<br/>"), (
        "a kernel is not a size, though 2×2×2 ends so"
    )


def test_requested_facts_are_shown() -> None:
    # conv1 of ResNet: 7 * 7 * 3 * 64 = 9,408 weights at 112 * 112 positions are 118,013,952 multiply-accumulates;
    # a field of 7, and after the 3x3 pooling with stride 2 upon stride 2: 7 + 2 * 2 = 11.
    drawn = read(draw(network("resnet18"), show=FACTS))
    assert "conv1 · 64×112×112 · 9,408 params" in drawn.label("conv1")
    assert "118 M MACs · sees 7×7" in drawn.label("conv1")
    assert "sees 11×11" in drawn.label("maxpool")
    assert "sees" not in drawn.label("relu")
    bare = read(draw(network("resnet18"), show=()))
    assert bare.label("conv1") == "<b>conv</b> 7×7 / 2, 64"


def test_a_collapsed_scope_shows_what_it_contains() -> None:
    # He et al. 2016, table 1: 36 blocks in the third stage. With c = 256 channels inside a block, and two parameters of
    # batch normalization per channel: 35 blocks of 4cc + 9cc + 4cc + 12c = 1,117,184, and the first, which reads 2c
    # channels and projects them, of 2cc + 9cc + 4cc + 8cc + 20c = 1,512,448, make 40,613,888.
    label = read(draw(network("resnet152"), depth=1, show=FACTS)).label("layer3")
    assert label.startswith("<b>layer3</b>")
    assert "1024×14×14 · 36 × bottleneck" in label
    assert "40.6 M params" in label
    # The 35 equal blocks of that stage: 39,101,440 parameters.
    blocks = read(draw(network("resnet152"), depth=2, show=FACTS)).label("layer3.1")
    assert "<b>bottleneck</b>" in blocks
    assert "10 layers each" in blocks
    assert "39.1 M params in all" in blocks
    assert "×32×32 · 8 layers" in read(draw(network("inception"), depth=1)).label("a")


def test_automatic_names_are_left_out() -> None:
    assert is_automatic("conv", "conv")
    assert is_automatic("max_pool_3", "max_pool")
    assert is_automatic("maxpool", "max_pool")
    assert is_automatic("12", "conv")
    assert not is_automatic("conv1", "conv")
    assert not is_automatic("convolution", "conv")


def test_shared_weights_are_noted() -> None:
    drawn = read(draw(network("siamese")))
    assert "weights of a" in drawn.frames["b"]["label"]
    assert not any("weights of" in looks["label"] for name, looks in drawn.nodes.items() if name.startswith("b."))
    assert "weights of second" in drawn.label("third")
    assert "weights of a" in read(draw(network("siamese"), depth=1)).label("b")


def test_tooltips_show_all_facts() -> None:
    drawn = read(draw(network("resnet18")))
    assert drawn.nodes["conv1"]["tooltip"].split("\\n") == [
        "conv1",
        "conv {channels: 64, kernel: 7, stride: 2, padding: 3, bias: false}",
        "(N, 3, 224, 224) → (N, 64, 112, 112)",
        "weight [64, 3, 7, 7]",
        "9,408 params",
        "118,013,952 MACs",
    ]
    assert drawn.edges[("conv1", "bn1")]["tooltip"] == "conv1 (N, 64, 112, 112)"
    assert drawn.frames["layer1.0"]["tooltip"].startswith(
        "layer1.0\\nbasic, 7 layers\\n(N, 64, 56, 56) → (N, 64, 56, 56)"
    )


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (9_999, "9,999"), (10_000, "10 k"), (11_689_512, "11.7 M"), (999_999, "1 M"), (4_089_184_256, "4.09 G"),
     (123_456, "123 k"), (10**15, "1 P")],
)  # fmt: skip
def test_short_counts(count: int, text: str) -> None:
    assert format_count(count) == text
