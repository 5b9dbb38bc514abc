"""Warnings: diagnostic rule reports what it should, points at the layer, and reports nothing otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import archspec
from archspec.diagnostic_codes import CODES
from archspec.diagnostics import Source
from archspec.loading import check_source

IMAGE = "[3, 33, 33]"


def warnings(layers: str, input: str = IMAGE, more: str = "") -> list[archspec.Diagnostic]:
    key = "inputs" if input.startswith("{") else "input"
    diagnostics = check_source(Source("s", f"archspec: 1\nname: n\n{key}: {input}\n{more}layers:\n{layers}"))
    assert all(diagnostic.severity == "warning" for diagnostic in diagnostics), diagnostics
    return list(diagnostics)


WARNED = {
    "batch-axis": "  - relu\n",
    "channels-last": "  - relu\n",
    "reserved-name": "  - conv: {name: train, channels: 4, kernel: 3}\n",
    "unequal-share": "  - conv: {name: a, channels: 3, kernel: 3}\n  - conv: {share: a, stride: 2}\n",
    "bias-before-norm": "  - conv: {channels: 4, kernel: 3}\n  - batch_norm\n",
    "stride-over-kernel": "  - conv: {channels: 4, kernel: 1, stride: 2}\n",
    "unread-rows": "  - max_pool: 2\n",
    "even-same": "  - conv: {channels: 4, kernel: 4, padding: same}\n",
    "uneven-upsampling": "  - conv_transpose: {channels: 4, kernel: 3, stride: 2}\n",
    "rounded-crop": "  - parallel: {align: center_crop, paths: [[], [max_pool: 2, upsample: 2]]}\n",
    "uneven-crop": "  - parallel: {align: center_crop, paths: [[], [conv: {channels: 3, kernel: 2}]]}\n",
    "saturating-activations": "  - repeat:\n      times: 8\n      layers:\n        - tanh\n",
    "heavy-layer": "  - flatten\n  - linear: 100\n  - relu\n  - linear: 10\n  - softmax\n",
    "misaligned-paths": "  - parallel: {paths: [[], [conv: {channels: 3, kernel: 3, padding: [[2, 0], [2, 0]]}]]}\n",
    "linear-over-maps": "  - conv: {channels: 4, kernel: 3}\n  - relu\n  - global_avg_pool\n  - linear: 5\n",
    "attention-over-maps": "  - conv: {channels: 4, kernel: 3}\n  - multi_head_attention: 31\n",
    "constant-output": "  - flatten\n  - linear: 1\n  - softmax\n",
    "inverted-momentum": "  - batch_norm: {momentum: 0.99}\n",
    "norm-of-one-position": "  - global_avg_pool\n  - batch_norm\n",
    "batch-in-reshape": "  - reshape: [-1, 3267]\n",
    "unused-layer": "  - side: {layers: [conv: {channels: 1, kernel: 1}]}\n",
    "unused-input": "  - identity: {from: input}\n",
    "join-of-one": "  - conv: {channels: 4, kernel: 1}\n  - relu: {name: a}\n  - concat: a\n",
    "broadcast-residual": "  - residual: [conv: {channels: 4, kernel: 1}, conv: {channels: 1, kernel: 1}]\n",
    "unused-argument": "  - cbr: {width: 4, stride: 2}\n"
    "blocks: {cbr: {args: {width: ~, stride: 1}, layers: [conv: {channels: width, kernel: 1}]}}\n",
    "unused-variable": "  - repeat: {over: [4, 8], as: width, layers: [conv: {channels: 4, kernel: 1}]}\n",
    "unused-param": "  - relu\nparams: {width: 4}\nexpect: {output: [width - 1, 33, 33]}\n",
    "unused-block": "  - relu\nblocks: {a: {layers: [b]}, b: {layers: [relu]}}\n",
    "unused-import": "  - relu\nimport: [blocks/residual.yaml]\n",
    "unnumbered-structure": "  - sequential: {name: s, naming: index, layers: [relu, residual: [relu]]}\n",
}

CLEAN = {
    "batch-axis": "  - relu\n",
    "channels-last": "  - relu\n",
    "reserved-name": "  - conv: {name: trained, channels: 4, kernel: 3}\n",
    "unequal-share": "  - conv: {name: a, channels: 3, kernel: 3, padding: 1}\n  - conv: {share: a, padding: same}\n",
    "bias-before-norm": "  - conv: {channels: 4, kernel: 3, bias: false}\n  - batch_norm\n",
    "stride-over-kernel": "  - conv: {channels: 4, kernel: 1}\n",
    "unread-rows": "  - max_pool: {kernel: 2, ceil: true}\n",
    "even-same": "  - conv: {channels: 4, kernel: 3, padding: same}\n",
    "uneven-upsampling": "  - conv_transpose: {channels: 4, kernel: 4, stride: 2}\n",
    "rounded-crop": "  - parallel: {align: center_crop, paths: [[], [conv: {channels: 3, kernel: 5}]]}\n",
    "uneven-crop": "  - parallel: {align: center_crop, paths: [[], [conv: {channels: 3, kernel: 3}]]}\n",
    "saturating-activations": "  - repeat:\n      times: 7\n      layers:\n        - tanh\n",
    "heavy-layer": "  - relu\n  - softmax\n  - relu\n  - relu\n  - relu\n",
    "misaligned-paths": "  - parallel: {paths: [[], [conv: {channels: 3, kernel: 3, padding: 1}]]}\n",
    "linear-over-maps": "  - conv: {channels: 4, kernel: 3}\n  - permute: [2, 3, 1]\n  - linear: 5\n",
    "attention-over-maps": "  - conv: {channels: 4, kernel: 3}\n  - permute: [2, 3, 1]\n  - multi_head_attention: 2\n",
    "constant-output": "  - flatten\n  - linear: 2\n  - log_softmax\n",
    "inverted-momentum": "  - batch_norm: {momentum: 0.5}\n",
    "norm-of-one-position": "  - batch_norm\n  - flatten\n  - batch_norm\n",
    "batch-in-reshape": "  - reshape: [-1, 1089]\n",
    "unused-layer": "  - relu\n",
    "unused-input": "  - relu\n",
    "join-of-one": "  - relu: {name: a}\n  - concat: [a, input]\n",
    "broadcast-residual": "  - residual: {layers: [conv: {channels: 1, kernel: 1}], join: mul}\n",
    "unused-argument": "  - cbr: {width: 4, stride: 2}\n"
    "blocks: {cbr: {args: {width: ~, stride: 1}, layers: [conv: {channels: width, kernel: 1, stride: stride}]}}\n",
    "unused-variable": "  - repeat: {name: block$w, over: [4, 8], as: [w], layers: [conv: {channels: 4, kernel: 1}]}\n",
    "unused-param": "  - b\nparams: {width: 4, wide: 2 * width}\n"
    "blocks: {b: {args: {x: wide}, layers: [conv: {channels: x, kernel: 1}]}}\n",
    "unused-block": "  - $kind\nparams: {kind: a}\nblocks: {a: {layers: [relu]}, b: {layers: [relu]}}\n",
    "unused-import": "  - b: 4\nblocks: {b: {args: [w], layers: [basic: w]}}\nimport: [blocks/residual.yaml]\n",
    "unnumbered-structure": "  - sequential: {name: s, naming: index, layers: [residual: {name: 0, layers: [relu]}]}\n",
}

INPUTS = {
    "batch-axis": "[1, 3, 33, 33]",
    "channels-last": "[33, 33, 3]",
    "unused-input": "{input: [3, 33, 33], other: [3]}",
}
"""The inputs that some warnings are about."""


def test_every_warning_is_tested() -> None:
    assert set(WARNED) == set(CLEAN) == {code for code, about in CODES.items() if about.severity == "warning"}


@pytest.mark.parametrize("code", WARNED)
def test_it_warns(code: str) -> None:
    diagnostics = [
        diagnostic for diagnostic in warnings(WARNED[code], INPUTS.get(code, IMAGE)) if diagnostic.code == code
    ]
    assert len(diagnostics) == 1
    assert diagnostics[0].span is not None


@pytest.mark.parametrize("code", CLEAN)
def test_it_is_silent(code: str) -> None:
    assert code not in {diagnostic.code for diagnostic in warnings(CLEAN[code])}


@pytest.mark.parametrize("join", ["mul", "add", "concat"])
def test_gates_and_shortcuts_leave_gradients_a_path(join: str) -> None:
    spec = f"  - repeat:\n      times: 8\n      layers:\n        - residual: {{join: {join}, layers: [sigmoid]}}\n"
    assert warnings(spec) == warnings("  - relu\n")


@pytest.mark.parametrize("code", WARNED)
def test_a_spec_can_silence_it(code: str) -> None:
    assert code not in {
        diagnostic.code for diagnostic in warnings(WARNED[code], INPUTS.get(code, IMAGE), more=f"allow: [{code}]\n")
    }


def test_a_block_called_often_is_reported_once() -> None:
    layers = "  - repeat:\n      times: 5\n      layers:\n        - conv: {channels: 4, kernel: 1, stride: 2}\n"
    assert [diagnostic.code for diagnostic in warnings(layers)].count("stride-over-kernel") == 1


@pytest.mark.parametrize(
    "input",
    ["[1, 128, 128, 64]", "[1, 4, 4, 4]", "[1, 5, 33, 33]", "[1, 28, 28]", "[3, 16, 112, 112]", "[4, 4, 64, 64]",
     "[2, 2, 64, 64]", "[64, 100, 1]", "[22, 1, 1000]", "[4, 8, 3]", "[32, 16000]", "[8, 16, 28, 28]"],
)  # fmt: skip
def test_plausible_inputs_are_not_reported(input: str) -> None:
    assert warnings("  - relu\n", input) == []


@pytest.mark.parametrize(
    ("input", "code", "image"),
    [
        ("[32, 3, 224, 224]", "batch-axis", "[3, 224, 224]"),
        ("[8, 1, 28, 28]", "batch-axis", "[1, 28, 28]"),
        ("[1, 3, 480, 640]", "batch-axis", "[3, 480, 640]"),
        ("[2, 3, 33, 33]", "batch-axis", "[3, 33, 33]"),
        ("[16, 4, 64, 64]", "batch-axis", "[4, 64, 64]"),
        ("[16, 2, 64, 64]", "batch-axis", "[2, 64, 64]"),
        ("[32, 224, 224, 3]", "batch-axis", "[3, 224, 224]"),
        ("[224, 224, 3]", "channels-last", "[3, 224, 224]"),
        ("[480, 640, 3]", "channels-last", "[3, 480, 640]"),
        ("[28, 28, 1]", "channels-last", "[1, 28, 28]"),
    ],
)
def test_images_with_their_batch_axis_or_with_channels_last(input: str, code: str, image: str) -> None:
    (warning,) = warnings("  - relu\n", input)
    assert warning.code == code
    assert warning.help is not None
    assert warning.help.endswith(f"{image} is an image")


def test_the_batch_axis_is_reported_beside_the_errors_it_causes() -> None:
    spec = "archspec: 1\nname: n\ninputs: {image: [1, 3, 33, 33]}\nlayers:\n  - conv: {channels: 4, kernel: 7}\n"
    warning, error = check_source(Source("s", spec))
    assert (warning.code, str(warning.span), error.code) == ("batch-axis", "s:3:17", "kernel-too-large")
    assert warning.help == "sizes are without the batch axis: [3, 33, 33] is an image"


@pytest.mark.parametrize("inputs", ["a: [3, 8, 8], b: [3, 8, 8]", "b: [3, 8, 8], a: [3, 8, 8]"], ids=["", "swapped"])
def test_paths_from_any_input_are_compared(inputs: str) -> None:
    spec = f"""
archspec: 1
name: n
inputs: {{{inputs}}}
layers:
  - conv: {{name: shifted, from: b, channels: 3, kernel: 3, padding: [[2, 0], [2, 0]]}}
  - add: {{name: sum, from: [a, shifted, b]}}
"""
    (warning,) = check_source(Source("s", spec))
    assert (warning.code, warning.message) == (
        "misaligned-paths", "the paths joined by 'sum' are 1 input positions apart"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "input", "constant"),
    [
        ("softmax", "[1]", 1.0),
        ("log_softmax: -1", "[4, 1]", 0.0),
        ("layer_norm: channels", "[1, 4]", 3.0),
        ("layer_norm", "[4, 1]", 3.0),
        ("layer_norm: 2", "[4, 1, 1]", 3.0),
        ("layer_norm: {affine: false}", "[1]", 0.0),
    ],
)
def test_constant_outputs_are_constant_in_pytorch(layer: str, input: str, constant: float) -> None:
    layers = f"  - {layer}\n"
    assert {diagnostic.code for diagnostic in warnings(layers, input)} == {"constant-output"}
    net = archspec.parse(f"archspec: 1\nname: n\ninput: {input}\nlayers:\n{layers}")
    module = net.to_torch({key: np.full(weight.shape, 3, np.float32) for key, weight in net.graph.weights()})
    output = module(torch.randn(5, *net.inputs["input"]))
    torch.testing.assert_close(output, torch.full_like(output, constant))


@pytest.mark.parametrize("layer", ["layer_norm: 2", "layer_norm: channels", "softmax: -1"])
def test_single_channels_and_positions_among_others_are_not_constant(layer: str) -> None:
    assert warnings(f"  - {layer}\n", "[4, 1, 3]") == []


_STRIDED = "conv: {name: %s, channels: 3, kernel: 1, stride: 2}"


@pytest.mark.parametrize(
    ("body", "skipping"),
    [
        ("[conv: {channels: 3, kernel: 3, stride: 2, padding: 1}]", set()),
        ("[conv: {channels: 3, kernel: 1}, max_pool: 2]", set()),
        # the first version of ResNet: neither path reads three in four positions
        (f"[{_STRIDED % 'reduced'}]", {"reduced", "projected"}),
    ],
)
def test_a_shortcut_may_skip_what_the_layers_beside_it_read(body: str, skipping: set[str]) -> None:
    residual = f"  - residual: {{layers: {body}, shortcut: [{_STRIDED % 'projected'}]}}\n"
    diagnostics = [
        diagnostic for diagnostic in warnings(residual, input="[3, 32, 32]") if diagnostic.code == "stride-over-kernel"
    ]
    assert {diagnostic.message.split("'")[1] for diagnostic in diagnostics} == skipping


def test_an_output_is_read_completely() -> None:
    layers = "  - relu\n  - max_pool: {kernel: 1, stride: 2}\n"
    assert "stride-over-kernel" in {diagnostic.code for diagnostic in warnings(layers)}
    assert "stride-over-kernel" not in {
        diagnostic.code for diagnostic in warnings(layers, more="outputs: [relu, max_pool]\n")
    }


def test_a_bias_is_needed_where_something_else_reads_it() -> None:
    layers = "  - conv: {name: c, channels: 3, kernel: 1}\n  - batch_norm\n  - add: [prev, c]\n"
    assert "bias-before-norm" not in {diagnostic.code for diagnostic in warnings(layers)}


def test_an_output_is_used() -> None:
    layers = "  - side: {name: aux, layers: [conv: {channels: 1, kernel: 1}]}\n  - relu\n"
    assert not warnings(layers, more="outputs: [relu, aux]\n")


def test_a_chain_of_unused_layers_is_reported_at_its_end() -> None:
    """Fifteen layers before a forgotten output are one warning; two outputs that share layers are two."""
    branch = "".join(f"      - conv: {{name: c{i}, channels: 3, kernel: 1}}\n" for i in range(15))
    (warning,) = warnings(
        f"  - relu\n  - side:\n      name: head\n      layers:\n{branch.replace('      -', '        -')}"
    )
    assert warning.message == "the output of 'head.c14' is never used"
    assert warning.notes == (("so is that of 'head.c11', 'head.c12', 'head.c13' and 11 more",),)
    forked = "  - side: {layers: [tanh, side: [sigmoid], relu: {name: a}]}\n  - relu: {name: b}\n"
    assert [warning.message for warning in warnings(forked)] == [
        "the output of 'sigmoid' is never used",
        "the output of 'a' is never used",
    ]


def test_values_without_axes_have_no_warnings() -> None:
    assert not warnings("  - reshape: []\n  - add: [prev, input]\n  - identity\n", input="[]")


@pytest.mark.parametrize(
    ("variant", "size", "codes"),
    [
        ("unet_padded", 256, set()),
        ("unet_padded", 250, {"rounded-crop"}),
        ("unet_padded", 248, {"rounded-crop"}),
        ("unet", 572, set()),
        ("unet", 574, {"uneven-crop"}),
    ],
)
def test_crops_of_unet(variant: str, size: int, codes: set[str]) -> None:
    """Four poolings by two round sizes that 16 does not divide. Without padding, 572 is the size of the paper."""
    found = archspec.check(f"unet:{variant}", input=(1, size, size))
    assert {each.code for each in found} - {"unread-rows"} == codes
    if size == 250:
        (crop,) = (each for each in found if each.code == "rounded-crop")
        assert crop.message.startswith("'u.concat' crops 250 × 250 to 240 × 240")
