"""Receptive fields through every kind of structure, and compared with gradients."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import torch

import archspec
from archspec.ir.window import Reach, runs
from archspec.ops import footprint
from archspec.ops.footprint import _union
from archspec.passes.receptive_field import ReceptiveField


def field(layers: str, input: str = "[2, 32, 32]", more: str = "") -> ReceptiveField:
    net = archspec.parse(f"archspec: 1\nname: n\ninput: {input}\n{more}layers:\n{layers}")
    return net.facts.fields[net.graph.outputs[0].value]


def test_branches_take_the_union() -> None:
    actual = field("""
  - parallel:
      paths:
        - [conv: {channels: 2, kernel: 1}]
        - [conv: {channels: 2, kernel: [5, 3], padding: [2, 1]}]
""")
    assert (actual.size, actual.stride, actual.offset) == ((5, 3), (1, 1), (-2, -1))


def test_axes_follow_permutations_there_and_back() -> None:
    actual = field("""
  - conv: {channels: 4, kernel: 7, padding: 3}
  - permute: [2, 3, 1]
  - linear: 8
  - permute: [3, 1, 2]
  - conv: {channels: 4, kernel: 3, stride: 2, padding: 1}
""")
    assert (actual.size, actual.stride) == ((9, 9), (2, 2))


def test_a_permuted_axis_is_followed() -> None:
    actual = field("\n  - permute: [1, 3, 2]\n  - conv: {channels: 1, kernel: [5, 1], padding: [2, 0]}\n")
    assert actual.size == (1, 5)


@pytest.mark.parametrize("layer", ["global_avg_pool", "adaptive_avg_pool: 1", "softmax: 2"])
def test_an_op_that_reads_a_whole_axis_sees_everything(layer: str) -> None:
    actual = field(f"\n  - {layer}\n")
    assert actual.size[0] is None


def test_a_gate_over_the_whole_input_sees_everything() -> None:
    assert field("""
  - identity: {name: x}
  - global_avg_pool
  - conv: {channels: 2, kernel: 1}
  - mul: [x, conv]
""").everything


def test_paths_of_different_strides_see_everything() -> None:
    # Both have 16 rows, one by halving and one by cropping: row i sees 2i and i + 8, further and further apart.
    actual = field("""
  - parallel:
      paths:
        - [max_pool: 2]
        - [center_crop: 16]
""")
    assert actual.everything


LONG = {
    "long periods": "[upsample: 4093, repeat: {times: 500, layers: [conv: {channels: 1, kernel: 3, padding: 1}]}]",
    "and gaps": "[upsample: 4093, repeat: {times: 50, layers: "
                "[conv: {channels: 1, kernel: 301, dilation: 2, padding: 300}]}]",
    "and holes": "[conv_transpose: {channels: 1, kernel: 1, stride: 4093}, repeat: {times: 50, layers: "
                 "[conv: {channels: 1, kernel: 1001, dilation: 6, padding: 3000}]}]",
    "many gaps": "[repeat: {times: 50, index: i, layers: "
                 "[conv: {channels: 1, kernel: 1001, dilation: 5 * i + 2, padding: 500 * (5 * i + 2)}]}]",
}  # fmt: skip


@pytest.mark.parametrize("layers", LONG.values(), ids=LONG)
def test_patterns_that_are_long_to_list_take_few_steps(layers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 0

    def union(parts: Iterable[tuple[int, int]]) -> Reach | None:
        nonlocal steps
        listed = list(parts)
        steps += 1 + len(listed)
        return _union(listed)

    monkeypatch.setattr(footprint, "_union", union)
    net = archspec.parse(f"archspec: 1\nname: n\ninput: [1, 8]\nlayers: {layers}\n")
    assert net.graph.outputs[0].value in net.facts.fields
    assert steps < 2**20  # a second at most


BLIND = "conv_transpose: {channels: 1, kernel: 1, stride: 2, padding: [0, 1]}"
"""On one row of two columns, the one position left is row 0 and column 1, between the columns of the input."""


def test_a_value_that_sees_nothing_along_one_axis_sees_nothing() -> None:
    net = archspec.parse(f"""
archspec: 1
name: n
input: [1, 1, 2]
layers: [{BLIND}, conv: {{channels: 2, kernel: 1}}, global_avg_pool, conv: {{from: input, channels: 2, kernel: [1, 2]}},
         add: [global_avg_pool, prev]]
expect: {{layers: {{conv: {{receptive_field: 0}}, add: {{receptive_field: [1, 2]}}}}}}
""")
    blind, conv, pooled, _, joined = net
    assert [layer.receptive_field for layer in (blind, conv, pooled, joined)] == [(0, 0), (0, 0), (0, 0), (1, 2)]
    nothing = {"size": [0, 0], "stride": [0, 0], "offset": [0, 0]}
    assert net.as_json()["layers"][0]["receptive_field"] == nothing
    model = net.to_torch().double()
    signal = torch.rand(1, 1, 1, 2, dtype=torch.double, requires_grad=True)
    (gradient,) = torch.autograd.grad(model.conv_transpose(signal).sum(), signal)
    assert not gradient.any()
    wider = archspec.parse(f"archspec: 1\nname: n\ninput: [1, 1, 3]\nlayers: [{BLIND}]\n")
    assert wider["conv_transpose"].receptive_field == (1, 1)  # of three positions, that in the middle sees column 1


RGBD = """
archspec: 1
name: rgbd
inputs: {{{inputs}}}
layers:
  - conv: {{name: near, from: rgb, channels: 4, kernel: 3, padding: 1}}
  - conv: {{name: far, from: depth, channels: 4, kernel: 13, padding: 6}}
  - add: {{name: fused, from: [near, far]}}
  - global_avg_pool: {{name: gate, from: far}}
  - mul: {{name: gated, from: [near, gate]}}
outputs: [fused, gated]
"""


@pytest.mark.parametrize(
    "inputs", ["rgb: [3, 32, 32], depth: [1, 32, 32]", "depth: [1, 32, 32], rgb: [3, 32, 32]"], ids=["", "swapped"]
)
def test_several_inputs_have_fields_of_their_own(inputs: str) -> None:
    net = archspec.parse(RGBD.format(inputs=inputs))
    expected = {
        "near": {"rgb": (3, 3)}, "far": {"depth": (13, 13)}, "fused": {"rgb": (3, 3), "depth": (13, 13)},
        "gate": {"depth": None}, "gated": {"rgb": (3, 3), "depth": None},
    }  # fmt: skip
    assert {layer.name: layer.receptive_field for layer in net} == expected
    assert net.to_networkx().nodes["gated"]["receptive_field"] == expected["gated"]
    described = {layer["name"]: layer["receptive_field"] for layer in net.as_json()["layers"]}
    near = {"size": [3, 3], "stride": [1, 1], "offset": [-1, -1]}
    assert described["gated"] == {"rgb": near, "depth": None}
    assert described["gate"] == {"depth": None}
    rows = {line.split()[0]: line for line in net.summary().splitlines() if line}
    order = inputs.startswith("rgb")
    assert ("rgb 3, depth 13" if order else "depth 13, rgb 3") in rows["fused"]
    assert "depth all" in rows["gate"]
    with pytest.raises(ValueError, match="'rgbd' has 2 inputs"):
        _ = net["near"].field


GRADED = {
    "strides": "[conv: {channels: 2, kernel: 3, stride: 2}, max_pool: {kernel: 3, stride: 2}, "
               "conv: {channels: 2, kernel: 3, dilation: 2, padding: 2}]",
    "asymmetric": "[conv: {channels: 2, kernel: 2, padding: [[1, 0]]}, conv: {channels: 2, kernel: 4, padding: same}]",
    "decoder": "[conv: {channels: 2, kernel: 3, padding: 1}, max_pool: 2, conv: {channels: 2, kernel: 3, padding: 1}, "
               "conv_transpose: {channels: 2, kernel: 3, stride: 2, padding: 1, output_padding: 1}]",
    "upsampling": "[avg_pool: 4, conv: {channels: 2, kernel: 3, padding: 1}, upsample: {scale: 4, mode: linear}]",
    "nearest": "[avg_pool: 2, upsample: 2, conv: {channels: 2, kernel: 3, padding: 1}]",
    "fraction": "[avg_pool: 2, upsample: {scale: 1.5, mode: linear}, conv: {channels: 2, kernel: 3, padding: 1}]",
    "skip": "[parallel: {paths: [[], [avg_pool: 2, conv: {channels: 2, kernel: 3, padding: 1}, "
            "conv_transpose: {channels: 2, kernel: 2, stride: 2}]]}, conv: {channels: 2, kernel: 3, padding: 1}]",
    "crop and pad": "[pad: [[3, 1]], conv: {channels: 2, kernel: 5}, center_crop: 20]",
    "adaptive": "[conv: {channels: 2, kernel: 3, padding: 1}, adaptive_avg_pool: 12]",
    "dilated": "[conv: {channels: 2, kernel: 3, dilation: 4}, conv: {channels: 2, kernel: 2, dilation: 3}]",
    "dilated after stride": "[avg_pool: {kernel: 1, stride: 3}, conv: {channels: 2, kernel: 3, dilation: 2}]",
    "holes": "[conv_transpose: {channels: 2, kernel: 1, stride: 2}, conv: {channels: 2, kernel: 4, dilation: 3}]",
    "dilated decoder": "[conv_transpose: {channels: 2, kernel: 3, stride: 3, dilation: 2}, avg_pool: 2]",
    "paths with gaps": "[parallel: {paths: [[conv: {channels: 2, kernel: 3, dilation: 5, padding: 5}], "
                       "[conv: {channels: 2, kernel: 3, dilation: 3, padding: 3}]]}]",
}  # fmt: skip

SEVERAL = {
    "two paths": "[conv: {name: a, from: left, channels: 2, kernel: 3, dilation: 2, padding: 2}, "
                 "conv: {name: b, from: right, channels: 2, kernel: 5, padding: 2}, concat: [a, b]]",
    "shared": "[conv: {name: a, from: left, channels: 2, kernel: 3, padding: 1}, "
              "conv: {name: b, from: right, channels: 2, kernel: 3, padding: 1, share: a}, "
              "avg_pool: {from: b, kernel: 3, stride: 1, padding: 1}, add: [a, avg_pool]]",
    "one alone": "[conv: {from: right, channels: 2, kernel: 5}]",
    "sizes alone": "[conv: {from: right, channels: 2, kernel: 5}, crop_like: [left, conv]]",
    "decoder of one": "[avg_pool: {from: right, kernel: 2}, upsample_like: {from: [avg_pool, left]}, "
                      "conv: {channels: 2, kernel: 3, padding: 1}, add: [left, conv]]",
    "late join": "[conv: {from: right, channels: 2, kernel: 3, padding: 1}, add: [left, conv], "
                 "conv: {channels: 2, kernel: 3, stride: 2}]",
    "gate": "[global_avg_pool: {from: right}, mul: [left, global_avg_pool]]",
}  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "layers"),
    [(("input",), layers) for layers in GRADED.values()] + [(("left", "right"), layers) for layers in SEVERAL.values()],
    ids=[*GRADED, *SEVERAL],
)
def test_gradients_reach_just_as_far(inputs: tuple[str, ...], layers: str) -> None:
    """Away from the border, the gradient of an output position is nonzero on exactly its field of each input."""
    size = 48
    shapes = ", ".join(f"{name}: [2, {size}]" for name in inputs)
    net = archspec.parse(f"archspec: 1\nname: n\ninputs: {{{shapes}}}\nlayers: {layers}\n")
    fields = net.facts.fields_of(net.graph.outputs[0].value)
    torch.manual_seed(0)
    model = net.to_torch().double()
    for parameter in model.parameters():  # nothing cancels, nothing vanishes
        torch.nn.init.uniform_(parameter, 0.5, 1.0)
    signals = [(torch.rand(1, 2, size, dtype=torch.double) + 0.5).requires_grad_() for _ in inputs]
    output = model(*signals)
    checked = 0
    for position in range(output.shape[2]):
        gradients = torch.autograd.grad(
            output[0, :, position].sum(), signals, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        for name, gradient in zip(inputs, gradients, strict=True):
            touched = set(np.flatnonzero(gradient[0].abs().sum(0).numpy(force=True)))
            if name not in fields:
                assert not touched
                continue
            (window,) = fields[name].windows
            if window is None:
                assert len(touched) == size
                continue
            read = {i for first, last in runs(window.reach(position)) for i in range(first, last + 1)}
            if read and min(read) >= 0 and max(read) < size:
                assert touched <= read if "max_pool" in layers else touched == read  # a maximum reads one position
                checked += 1
    assert checked >= 3 or all(field.everything for field in fields.values())


@pytest.mark.parametrize("options", ["", ", antialias: true", ", align_corners: true"])
@pytest.mark.parametrize(("mode", "size", "count"), [("bilinear", 20, 8), ("bicubic", 20, 8), ("bicubic", 8, 20)])
def test_resizing_reads_the_rows_that_have_a_gradient(mode: str, size: int, count: int, options: str) -> None:
    layers = f"\n  - upsample: {{size: [{count}, 5], mode: {mode}{options}}}\n"
    window = field(layers, f"[1, {size}, 5]").windows[0]
    assert window is not None
    net = archspec.parse(f"archspec: 1\nname: n\ninput: [1, {size}, 5]\nlayers:{layers}")
    x = torch.zeros(1, 1, size, 5, requires_grad=True)
    output = net.to_torch()(x)
    for row in range(count):
        (gradient,) = torch.autograd.grad(output[0, 0, row, 2], x, retain_graph=True)
        touched = {int(i) for i in gradient[0, 0, :, 2].nonzero()}
        read = {i for first, last in runs(window.reach(row)) for i in range(first, last + 1)}
        if touched and min(read) >= 0 and max(read) < size:
            assert touched <= read
            assert {min(read), max(read)} <= touched
        else:
            assert touched <= {min(max(i, 0), size - 1) for i in read}


@pytest.mark.parametrize(("size", "count"), [(5, 1), (1, 4), (1, 1)])
def test_corners_of_a_single_position_are_the_first(size: int, count: int) -> None:
    actual = field(f"\n  - upsample: {{size: {count}, mode: linear, align_corners: true}}\n", f"[2, {size}]")
    (window,) = actual.windows
    assert window is not None
    assert [window.reach(i) for i in range(count)] == [(0, 0)] * count


def test_of_very_many_inputs_the_fields_on_the_first_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the spec expects of others is checked all the same."""
    monkeypatch.setattr("archspec.passes.facts.MOST_FIELDS", 8)
    inputs = ", ".join(f"i{k}: [1, 8, 8]" for k in range(4))
    text = f"""
archspec: 1
name: n
inputs: {{{inputs}}}
layers:
  - conv: {{name: c, from: i3, channels: 1, kernel: 3, padding: 1}}
  - add: {{name: all, from: [i0, i1, i2, c]}}
expect: {{layers: {{all: {{receptive_field: {{i0: 1, i3: 3}}}}}}}}
"""
    net = archspec.parse(text)
    assert "fields       on the first 1 of 4 inputs\n" in net.summary()
    assert [*net.as_json()["layers"][-1]["receptive_field"]] == ["i0"]
