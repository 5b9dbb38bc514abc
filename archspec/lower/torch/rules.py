"""The rules: how each op is written in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from archspec import ops
from archspec.ir.graph import Node
from archspec.lower.rules import Rules
from archspec.lower.torch.calls import Call, Constant, Leaf, Listed, call, function, same
from archspec.ops import activation, conv, join, layout, linear, norm, pool
from archspec.ops.geometry import Pads, extent
from archspec.ops.sliding import Sliding

RULES: Rules[Callable[[Node], Leaf]] = Rules("PyTorch", "archspec/lower/torch/rules.py")


def leaf(node: Node) -> Leaf:
    """How a node is written.

    Raises:
        ArchspecError: there is no rule for its op.
    """
    return RULES[node](node)


def _both(module: Call, function: str) -> Leaf:
    """An op that is the same call as a module and as a function."""
    return Leaf(module, module.renamed(function))


def _axes(node: Node) -> int:
    return len(node.inputs[0].type.spatial)


def _flat(pads: Sequence[Pads]) -> tuple[int, ...]:
    """Padding as `F.pad` takes it: before and after, the last axis first."""
    return tuple(rows for pad in reversed(pads) for rows in pad)


# --- convolution ----------------------------------------------------------------------------------------------------


@RULES.rule(conv.Conv)
def _conv(node: Node) -> Leaf:
    op, tensor, d = node.op, node.inputs[0].type, _axes(node)
    assert isinstance(op, conv.Conv)
    window = op.sliding(tensor)
    required: dict[str, Constant] = {
        "in_channels": tensor.channels,
        "out_channels": op.channels,
        "kernel_size": same(window.kernel),
    }
    stride, dilation = (same(window.stride), 1), (same(window.dilation), 1)
    groups, bias = (op.groups, 1), (op.bias, True)
    if not window.symmetric:
        required["pads"] = _flat(window.pads)
        optional = {"stride": stride, "dilation": dilation, "groups": groups, "bias": bias}
        return Leaf(call(f"PaddedConv{d}d", required, optional), helper=("PaddedConv", d))
    padding = (same([before for before, _ in window.pads]), 0)
    optional = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "bias": bias}
    return Leaf(call(f"nn.Conv{d}d", required, optional))


@RULES.rule(conv.ConvTranspose)
def _conv_transpose(node: Node) -> Leaf:
    op, tensor, d = node.op, node.inputs[0].type, _axes(node)
    assert isinstance(op, conv.ConvTranspose)
    window = op.sliding(tensor)
    required: dict[str, Constant] = {
        "in_channels": tensor.channels,
        "out_channels": op.channels,
        "kernel_size": same(window.kernel),
    }
    stride, output_padding = (same(window.stride), 1), (same(op.added(tensor)), 0)
    dilation, groups, bias = (same(window.dilation), 1), (op.groups, 1), (op.bias, True)
    if not window.symmetric:
        required["crop"] = _flat(window.pads)
        optional = {
            "stride": stride,
            "output_padding": output_padding,
            "dilation": dilation,
            "groups": groups,
            "bias": bias,
        }
        return Leaf(call(f"CroppedConvTranspose{d}d", required, optional), helper=("CroppedConvTranspose", d))
    padding = (same([before for before, _ in window.pads]), 0)
    optional = {
        "stride": stride, "padding": padding, "output_padding": output_padding, "groups": groups, "bias": bias,
        "dilation": dilation,
    }  # fmt: skip
    return Leaf(call(f"nn.ConvTranspose{d}d", required, optional))


# --- pooling --------------------------------------------------------------------------------------------------------


def _plain_padding(window: Sliding) -> bool:
    """Whether PyTorch's poolings take this padding: as much on both sides, and at most half the kernel."""
    return window.symmetric and all(pads[0] <= kernel // 2 for kernel, _, _, pads in window.axes)


def _completing(node: Node, window: Sliding) -> tuple[Pads, ...]:
    """Rows to add after the padding, or to cut if negative, so that the output has its size without rounding up."""
    sizes = zip(node.inputs[0].type.spatial, node.outputs[0].type.spatial, window.axes, strict=True)
    return tuple((0, (m - 1) * s + extent(f, d) - n - sum(pads)) for n, m, (f, s, d, pads) in sizes)


@RULES.rule(pool.MaxPool)
def _max_pool(node: Node) -> Leaf:
    op, d = node.op, _axes(node)
    assert isinstance(op, pool.MaxPool)
    window = op.sliding(node.inputs[0].type)
    kernel, stride, dilation = same(window.kernel), same(window.stride), same(window.dilation)
    if not _plain_padding(window):
        rounds = zip(window.pads, _completing(node, window), strict=True)
        pads = [(before, after + extra) for (before, after), (_, extra) in rounds]
        required = {"kernel_size": kernel, "stride": stride, "pads": _flat(pads)}
        return Leaf(call(f"PaddedMaxPool{d}d", required, {"dilation": (dilation, 1)}), helper=("PaddedMaxPool", d))
    padding = same([before for before, _ in window.pads])
    optional = {
        "stride": (stride, kernel), "padding": (padding, 0), "dilation": (dilation, 1), "ceil_mode": (op.ceil, False)
    }  # fmt: skip
    return _both(call(f"nn.MaxPool{d}d", {"kernel_size": kernel}, optional), f"F.max_pool{d}d")


@RULES.rule(pool.AvgPool)
def _avg_pool(node: Node) -> Leaf:
    op, d = node.op, _axes(node)
    assert isinstance(op, pool.AvgPool)
    window = op.sliding(node.inputs[0].type)
    kernel, stride = same(window.kernel), same(window.stride)
    # avg_pool3d, and it alone, refuses a kernel larger than the input without its padding.
    refused = d == 3 and any(f > n for f, n in zip(window.kernel, node.inputs[0].type.spatial, strict=True))
    if refused or not _plain_padding(window):
        extra = _completing(node, window)
        required = {"kernel_size": kernel, "stride": stride, "pads": _flat(window.pads), "extra": _flat(extra)}
        counts: dict[str, tuple[Constant, Constant]] = {"count_include_pad": (op.count_include_pad, True)}
        return Leaf(call(f"PaddedAvgPool{d}d", required, counts), helper=("PaddedAvgPool", d))
    padding = same([before for before, _ in window.pads])
    optional = {
        "stride": (stride, kernel), "padding": (padding, 0), "ceil_mode": (op.ceil, False),
        "count_include_pad": (op.count_include_pad or padding == 0, True),
    }  # fmt: skip
    return _both(call(f"nn.AvgPool{d}d", {"kernel_size": kernel}, optional), f"F.avg_pool{d}d")


@RULES.rule(pool.GlobalAvgPool, pool.GlobalMaxPool)
def _global_pool(node: Node) -> Leaf:
    kind = "Avg" if isinstance(node.op, pool.GlobalAvgPool) else "Max"
    return _adaptive(kind, _axes(node), 1)


@RULES.rule(pool.AdaptiveAvgPool, pool.AdaptiveMaxPool)
def _adaptive_pool(node: Node) -> Leaf:
    kind = "Avg" if isinstance(node.op, pool.AdaptiveAvgPool) else "Max"
    return _adaptive(kind, _axes(node), same(node.outputs[0].type.spatial))


def _adaptive(kind: str, axes: int, size: Constant) -> Leaf:
    module = call(f"nn.Adaptive{kind}Pool{axes}d", {"output_size": size}, {})
    return _both(module, f"F.adaptive_{kind.lower()}_pool{axes}d")


# --- linear and normalization ---------------------------------------------------------------------------------------


@RULES.rule(linear.Linear)
def _linear(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, linear.Linear)
    required = {"in_features": node.inputs[0].type.sizes[-1], "out_features": op.features}
    return Leaf(call("nn.Linear", required, {"bias": (op.bias, True)}))


@RULES.rule(linear.RadialBasis)
def _radial_basis(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, linear.RadialBasis)
    features = node.inputs[0].type.sizes[0]
    return Leaf(call("RadialBasis", {"features": features, "units": op.units}, {}), helper=("RadialBasis", 0))


@RULES.rule(norm.BatchNorm)
def _batch_norm(node: Node) -> Leaf:
    op, tensor = node.op, node.inputs[0].type
    assert isinstance(op, norm.BatchNorm)
    axes = max(1, len(tensor.spatial))
    optional = {"eps": (op.eps, 1e-5), "momentum": (op.momentum, 0.1), "affine": (op.affine, True)}
    return Leaf(call(f"nn.BatchNorm{axes}d", {"num_features": tensor.channels}, optional))


@RULES.rule(norm.LocalResponseNorm)
def _local_response_norm(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, norm.LocalResponseNorm)
    optional = {"alpha": (op.alpha, 1e-4), "beta": (op.beta, 0.75), "k": (op.k, 1.0)}
    return _both(call("nn.LocalResponseNorm", {"size": op.size}, optional), "F.local_response_norm")


@RULES.rule(norm.Affine)
def _affine(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, norm.Affine)
    module = call("Affine", {"channels": node.inputs[0].type.channels}, {"bias": (op.bias, True)})
    return Leaf(module, helper=("Affine", 0))


# --- activations ----------------------------------------------------------------------------------------------------

_ACTIVATIONS: Mapping[type[ops.Op], tuple[str, str, Mapping[str, tuple[str, Constant]]]] = {
    activation.Relu: ("nn.ReLU", "F.relu", {}),
    activation.Relu6: ("nn.ReLU6", "F.relu6", {}),
    activation.LeakyRelu: ("nn.LeakyReLU", "F.leaky_relu", {"slope": ("negative_slope", 0.01)}),
    activation.Elu: ("nn.ELU", "F.elu", {"alpha": ("alpha", 1.0)}),
    activation.Selu: ("nn.SELU", "F.selu", {}),
    activation.Sigmoid: ("nn.Sigmoid", "torch.sigmoid", {}),
    activation.HardSigmoid: ("nn.Hardsigmoid", "F.hardsigmoid", {}),
    activation.Gelu: ("nn.GELU", "F.gelu", {"approximate": ("approximate", "none")}),
    activation.Silu: ("nn.SiLU", "F.silu", {}),
    activation.HardSwish: ("nn.Hardswish", "F.hardswish", {}),
    activation.Mish: ("nn.Mish", "F.mish", {}),
    activation.Softplus: ("nn.Softplus", "F.softplus", {}),
    activation.Softmax: ("nn.Softmax", "F.softmax", {"axis": ("dim", None)}),
    activation.LogSoftmax: ("nn.LogSoftmax", "F.log_softmax", {"axis": ("dim", None)}),
}
"""The module, the function, and for each attribute of the op the argument it becomes, with that one's default."""

_INPLACE = frozenset((
    activation.Relu, activation.Relu6, activation.LeakyRelu, activation.Elu, activation.Selu, activation.HardSigmoid,
    activation.Silu, activation.HardSwish, activation.Mish,
))  # fmt: skip


@RULES.rule(*_ACTIVATIONS)
def _activation(node: Node) -> Leaf:
    module, name, attributes = _ACTIVATIONS[type(node.op)]  # type: ignore[index]  # rules are entered by op class
    optional = {argument: (getattr(node.op, key), default) for key, (argument, default) in attributes.items()}
    return _both(call(module, {}, optional, inplace=type(node.op) in _INPLACE), name)


@RULES.rule(activation.Tanh)
def _tanh(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, activation.Tanh)
    if op.scale == op.slope == 1:
        return _both(call("nn.Tanh", {}, {}), "torch.tanh")
    numbers: dict[str, Constant] = {"scale": op.scale, "slope": op.slope}
    written = function("tanh", "{scale} * torch.tanh({slope} * {x})", numbers)
    return Leaf(call("ScaledTanh", numbers, {}), written, helper=("ScaledTanh", 0))


@RULES.rule(activation.Dropout)
def _dropout(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, activation.Dropout)
    return Leaf(
        call("nn.Dropout", {"p": op.p}, {}), function("F.dropout", "F.dropout({x}, {p}, self.training)", {"p": op.p})
    )


# --- joins and layout -----------------------------------------------------------------------------------------------


@RULES.rule(join.Add)
def _add(node: Node) -> Leaf:
    return Leaf(function=function("+", "{sum}"))


@RULES.rule(join.Mul)
def _mul(node: Node) -> Leaf:
    return Leaf(function=function("*", "{product}"))


@RULES.rule(join.Mean)
def _mean(node: Node) -> Leaf:
    return Leaf(function=function("mean", f"({{sum}}) / {len(node.inputs)}"))


@RULES.rule(join.Max)
def _max(node: Node) -> Leaf:
    if len(node.inputs) == 2:
        return Leaf(function=function("torch.maximum", "torch.maximum({all})"))
    return Leaf(function=function("torch.amax", "torch.stack([{all}]).amax(dim=0)"))


@RULES.rule(join.Concat)
def _concat(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, join.Concat)
    return Leaf(function=function("torch.cat", "torch.cat([{all}], dim={dim})", {"dim": op.axis}))


@RULES.rule(layout.Identity)
def _identity(node: Node) -> Leaf:
    return Leaf(Call("nn.Identity"), function("identity", "{x}"))


@RULES.rule(layout.Flatten)
def _flatten(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, layout.Flatten)
    if not node.inputs[0].type.sizes:
        return Leaf(function=function("reshape", "{x}.reshape(-1, 1)"))
    module = call("nn.Flatten", {}, {"start_dim": (op.start, 1), "end_dim": (op.end, -1)})
    arguments: dict[str, Constant] = {"start_dim": op.start, "end_dim": op.end}
    template = "torch.flatten({x}, {start_dim})" if op.end == -1 else "torch.flatten({x}, {start_dim}, {end_dim})"
    return Leaf(module, function("torch.flatten", template, arguments))


@RULES.rule(layout.Reshape)
def _reshape(node: Node) -> Leaf:
    sizes = node.outputs[0].type.sizes
    arguments: dict[str, Constant] = {f"size{i}": size for i, size in enumerate(sizes)}
    template = "{x}.reshape({x}.shape[0], " + ", ".join(f"{{{name}}}" for name in arguments) + ")"
    return Leaf(function=function("reshape", template, arguments))


@RULES.rule(layout.Permute)
def _permute(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, layout.Permute)
    return Leaf(function=function("permute", f"{{x}}.permute({', '.join(map(str, (0, *op.order)))})"))


@RULES.rule(layout.Select)
def _select(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, layout.Select)
    before = ":, " * op.place(node.inputs[0].type)
    return Leaf(function=function("select", f"{{x}}[{before}{{indices}}]", {"indices": Listed(op.indices)}))


@RULES.rule(layout.Pad)
def _pad(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, layout.Pad)
    pads = _flat(op.pads(node.inputs[0].type))
    optional: dict[str, tuple[Constant, Constant]] = {"mode": (op.mode, "constant"), "value": (op.value, 0.0)}
    return Leaf(function=call("F.pad", {"pad": pads}, optional))


@RULES.rule(layout.PadChannels)
def _pad_channels(node: Node) -> Leaf:
    op, tensor = node.op, node.inputs[0].type
    assert isinstance(op, layout.PadChannels)
    pads = [(0, op.channels - tensor.channels), *((0, 0) for _ in tensor.spatial)]
    return Leaf(function=call("F.pad", {"pad": _flat(pads)}, {}))


@RULES.rule(layout.CenterCrop)
def _center_crop(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, layout.CenterCrop)
    cut = [(-before, -after) for before, after in op.pads(node.inputs[0].type)]
    return Leaf(function=function("crop", "F.pad({x}, {crop})", {"crop": _flat(cut)}))


@RULES.rule(layout.Upsample)
def _upsample(node: Node) -> Leaf:
    op, d = node.op, _axes(node)
    assert isinstance(op, layout.Upsample)
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[d] if op.interpolates else "nearest"
    factors = {"size": (None if op.size is None else same(node.outputs[0].type.spatial), None)}
    if op.scale is not None:
        factors["scale_factor"] = (op.scale, None)
    corners = {"align_corners": (op.align_corners or None, None)} if op.interpolates else {}
    return _both(call("nn.Upsample", {}, {**factors, "mode": (mode, "nearest"), **corners}), "F.interpolate")
