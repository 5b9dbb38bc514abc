"""The blocks that specs import: they are what torchvision's modules of the same purpose are, weight by weight."""

from __future__ import annotations

import re
import sys

import pytest
import torch
from torch import nn

import archspec
from archspec import zoo
from archspec.frontend.language.files import library_errors
from archspec.frontend.yaml.tree import read_file
from tests import tv

FILES = {path.stem: path for path in sorted((zoo.folder() / "blocks").glob("*.yaml"))}
ops = tv.torchvision.ops
models = tv.torchvision.models


def network(file: str, call: str, channels: int, size: int = 9) -> archspec.Network:
    """A network of one call, which goes by the name `b`."""
    text = (
        f"archspec: 1\nname: net\ninput: [{channels}, {size}, {size}]\nimport: blocks/{file}.yaml\nlayers: [{call}]\n"
    )
    return archspec.parse(text)


def compare(file: str, call: str, theirs: nn.Module, channels: int, size: int = 9) -> None:
    """Weights by the same names, and the same numbers in evaluation and in training."""
    net = network(file, call, channels, size)
    torch.manual_seed(0)
    for name, value in theirs.named_buffers():
        if "running_" in name:
            value.uniform_(0.5, 1.5)
    x = torch.randn(2, channels, size, size)
    ours = net.to_torch()
    ours.load_state_dict({f"b.{name}": value for name, value in theirs.state_dict().items()})
    for train in (False, True):
        ours.train(train)
        theirs.train(train)
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-5)


def _numbers(module: nn.Module) -> nn.Module:
    """A module without dropout, which would draw other numbers."""
    for layer in module.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return module


@pytest.mark.parametrize("stem", FILES)
def test_the_files_have_no_mistakes(stem):
    assert library_errors(read_file(FILES[stem]), [zoo.folder()]) == ()


@pytest.mark.parametrize("stem", FILES)
def test_they_are_written_in_one_style_and_tell_how_their_blocks_are_called(stem):
    text = FILES[stem].read_text("utf-8")
    head, _, body = text.partition("archspec: 1\n")
    assert head.startswith("# ")
    assert all(line.startswith("#") for line in head.splitlines())
    assert all(len(line) <= 120 and line == line.rstrip() for line in text.splitlines())
    assert re.findall(r"#   - \$?(\w+):", head)
    assert [key for key in re.findall(r"^(\w+):", body, re.MULTILINE) if key != "import"] == ["summary", "blocks"]


def test_blocks_are_no_networks_of_the_zoo():
    assert not {*FILES.values()} & {*zoo.files()}


@pytest.mark.parametrize("act", ["relu", "silu", "none"])
def test_conv_norm_act(act):
    layer = {"relu": nn.ReLU, "silu": nn.SiLU, "none": None}[act]
    theirs = ops.Conv2dNormActivation(6, 4, 5, stride=2, dilation=2, groups=2, activation_layer=layer)
    call = f"conv_norm_act: {{name: b, width: 4, kernel: 5, stride: 2, dilation: 2, groups: 2, act: {act}}}"
    compare("conv_norm_act", call, theirs, 6, 13)


def test_squeeze_excite():
    compare("squeeze_excite", "squeeze_excite: {name: b, squeeze: 3}", ops.SqueezeExcitation(8, 3), 8)
    theirs = ops.SqueezeExcitation(8, 3, nn.SiLU, nn.Hardsigmoid)
    compare("squeeze_excite", "squeeze_excite: {name: b, squeeze: 3, act: silu, gate: hard_sigmoid}", theirs, 8)


@pytest.mark.parametrize(("width", "stride", "expand"), [(6, 1, 6), (6, 1, 1), (8, 1, 2), (6, 2, 2)])
def test_inverted_residual(width, stride, expand):
    theirs = models.mobilenetv2.InvertedResidual(6, width, stride, expand)
    call = f"inverted_residual: {{name: b, width: {width}, stride: {stride}, expand: {expand}}}"
    compare("inverted_residual", call, theirs, 6)


@pytest.mark.parametrize(("width", "wide", "stride", "gated"), [(8, 24, 1, True), (8, 8, 1, False), (16, 24, 2, True)])
def test_mbconv_as_in_mobilenet_v3(width, wide, stride, gated):
    conf = models.mobilenetv3.InvertedResidualConfig(8, 5, wide, width, gated, "HS", stride, 1, 1.0)
    theirs = models.mobilenetv3.InvertedResidual(conf, nn.BatchNorm2d)
    squeeze = 8 if gated else 0  # a quarter of 24 as a multiple of 8
    call = (
        f"mbconv: {{name: b, width: {width}, wide: {wide}, kernel: 5, stride: {stride}, act: hard_swish, "
        f"squeeze: {squeeze}, squeeze_act: relu, gate: hard_sigmoid}}"
    )
    compare("inverted_residual", call, theirs, 8)


@pytest.mark.parametrize(("width", "expand", "stride"), [(8, 1, 1), (8, 6, 1), (16, 6, 2)])
def test_mbconv_as_in_efficientnet(width, expand, stride):
    conf = models.efficientnet.MBConvConfig(expand, 3, stride, 8, width, 1)
    theirs = models.efficientnet.MBConv(conf, 0.0, nn.BatchNorm2d)
    call = f"mbconv: {{name: b, width: {width}, wide: {8 * expand}, stride: {stride}}}"
    compare("inverted_residual", call, theirs, 8)


@pytest.mark.parametrize(("channels", "stride"), [(8, 1), (8, 2), (4, 1)])
def test_basic(channels, stride):
    down = None if (channels, stride) == (8, 1) else _projection(channels, 8, stride)
    theirs = models.resnet.BasicBlock(channels, 8, stride, down)
    compare("residual", f"basic: {{name: b, width: 8, stride: {stride}}}", theirs, channels)


@pytest.mark.parametrize(("channels", "stride", "dilation"), [(16, 1, 1), (16, 2, 1), (8, 1, 2)])
def test_bottleneck_with_groups_and_another_width(channels, stride, dilation):
    down = None if (channels, stride) == (16, 1) else _projection(channels, 16, stride)
    theirs = models.resnet.Bottleneck(channels, 4, stride, down, groups=2, base_width=128, dilation=dilation)
    call = f"bottleneck: {{name: b, width: 4, stride: {stride}, dilation: {dilation}, groups: 2, inner: 16}}"
    compare("residual", call, theirs, channels)


def test_a_bottleneck_strides_early_as_published():
    net = network("residual", "bottleneck: {name: b, width: 4, stride: 2, early: true}", 8)
    assert [net[f"b.conv{i}"].shape for i in (1, 2, 3)] == [(4, 5, 5), (4, 5, 5), (16, 5, 5)]


def _projection(channels: int, out: int, stride: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))


def test_inception_as_in_torchvisions_googlenet():
    theirs = sys.modules["torchvision.models.googlenet"].Inception(8, 3, 4, 5, 2, 3, 4)
    widths = "c1: 3, r3: 4, c3: 5, r5: 2, c5: 3, pool: 4"
    compare("inception", f"inception: {{name: b, {widths}, norm: true, five: 3}}", theirs, 8)


def test_inception_as_published():
    # table 1 of the paper: inception (3a) has 159 K weights, its biases among them 163,696
    net = network("inception", "inception: {name: b, c1: 64, r3: 96, c3: 128, r5: 16, c5: 32, pool: 32}", 192, 28)
    assert net.outputs == {"output": (256, 28, 28)}
    assert net.params - 64 - 96 - 128 - 16 - 32 - 32 == 163_328


def test_dense_layer_and_transition():
    theirs = models.densenet._DenseLayer(8, 4, 4, 0.0)
    net = network("dense_layer", "dense_layer: {name: b, growth: 4}", 8)
    ours = net.to_torch().eval()
    ours.load_state_dict({f"b.{name}": value for name, value in theirs.state_dict().items()})
    x = torch.randn(2, 8, 9, 9)
    torch.testing.assert_close(ours(x), torch.cat([x, theirs.eval()(x)], 1))
    compare("dense_layer", "transition: {name: b}", models.densenet._Transition(8, 4), 8, 8)


def test_atrous_pyramid():
    theirs = _numbers(models.segmentation.deeplabv3.ASPP(8, [2, 3], 4))
    compare("atrous_pyramid", "atrous_pyramid: {name: b, width: 4, rates: [2, 3], dropout: 0}", theirs, 8, 8)


def test_separable_conv():
    # by hand: 8 kernels of 3x3, then 8 x 5 weights; in MobileNet's form also two numbers a channel to normalize
    assert network("separable_conv", "separable_conv: {name: b, width: 5}", 8).params == 8 * 9 + 8 * 5
    net = network("separable_conv", "depthwise_separable: {name: b, width: 5, stride: 2}", 8)
    assert net.params == 8 * 9 + 2 * 8 + 8 * 5 + 2 * 5
    assert net.outputs == {"output": (5, 5, 5)}


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("sizes", [[8], [8, 6], [8, 4, 6]])
def test_the_parts_of_a_unet_along_one_two_and_three_axes(norm, sizes):
    text = f"archspec: 1\nname: net\ninput: {[3, *sizes]}\nimport: blocks/double_conv.yaml\nparams: {{norm: {norm}}}\n"
    text += "layers:\n  - double_conv: {name: encode, width: 4, norm: norm}\n  - down_block: {width: 8, norm: norm}\n"
    up = "  - up_block: {name: up, width: 4}\n  - concat: [encode, up]\n  - double_conv: {width: 4, norm: norm}\n"
    net = archspec.parse(text.lower() + up)
    assert net.outputs == {"output": (4, *sizes)}
    pairs = [(3, 4), (4, 4), (4, 8), (8, 8), (8, 4), (4, 4)]
    convs = sum(3 ** len(sizes) * i * o + (2 * o if norm else o) for i, o in pairs)
    ups = 2 ** len(sizes) * 8 * 4 + 4
    assert net.params == convs + ups
    smooth = archspec.parse(text.lower() + up.replace("up, width: 4", "up, width: 4, learned: false"))
    assert smooth.outputs == net.outputs
    assert smooth.params == net.params - ups + 8 * 4 + 4


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("min_pool: 3", lambda x: -nn.functional.max_pool2d(-x, 3)),
        (
            "min_pool: {kernel: 3, stride: 2, padding: 1}",
            lambda x: -nn.functional.max_pool2d(-x, 3, 2, 1),
        ),
        (
            "min_pool: {kernel: 2, ceil: true}",
            lambda x: -nn.functional.max_pool2d(-x, 2, ceil_mode=True),
        ),
        ("maxout: 2", lambda x: torch.stack([x[:, :2].amax(1), x[:, 2:4].amax(1), x[:, 4:].amax(1)], 1)),
    ],
)
def test_poolings_made_of_others(call, expected):
    x = torch.randn(2, 6, 9, 9)
    torch.testing.assert_close(network("pools", call, 6).to_torch().eval()(x), expected(x))
