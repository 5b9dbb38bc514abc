"""Ops that move elements, in Keras. The sizes of a functional model are known: what follows a size is a number."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import FIRST, LayerCall, axes_of, cannot, family, layer, padded
from archspec.lower.keras.rules.conv import crop
from archspec.lower.text.code_model import Constant, Listed, Options, function, same
from archspec.ops import reshape, slicing, spatial

RULES = family("layout")


@RULES.rule(reshape.Identity)
def _identity(node: Node) -> LayerCall:
    return LayerCall((layer("Identity", {}),))


@RULES.rule(reshape.Flatten, reshape.Reshape)
def _reshape(node: Node) -> LayerCall:
    # `Flatten` puts the channels last before it flattens, if that is how Keras is set: `Reshape` never does.
    return LayerCall((layer("Reshape", {"target_shape": node.outputs[0].type.sizes}),))


@RULES.rule(reshape.Permute)
def _permute(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, reshape.Permute)
    return LayerCall((layer("Permute", {"dims": op.order}),))


@RULES.rule(reshape.Select)
def _select(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, reshape.Select)
    numbers: dict[str, Constant] = {"indices": Listed(op.indices), "axis": op.place(node.inputs[0].type)}
    return LayerCall((function("take", "ops.take({x}, {indices}, axis={axis})", numbers),))


@RULES.rule(spatial.Pad)
def _pad(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, spatial.Pad)
    pads = op.pads(node.inputs[0].type)
    if not any(map(any, pads)):
        return LayerCall()
    if op.mode == "constant":
        return LayerCall((padded(pads, op.value),))
    if op.mode != "reflect":
        raise cannot(node, f"its padding has no mode {op.mode}")
    widths: Constant = ((0, 0), (0, 0), *pads)
    return LayerCall((function("pad", 'ops.pad({x}, {widths}, mode="reflect")', {"widths": widths}),))


@RULES.rule(spatial.PadChannels)
def _pad_channels(node: Node) -> LayerCall:
    op, tensor = node.op, node.inputs[0].type
    assert isinstance(op, spatial.PadChannels)
    pads = [(0, op.channels - tensor.channels), *((0, 0) for _ in tensor.spatial)]
    return LayerCall((padded(pads, before=1),))


@RULES.rule(spatial.CenterCrop)
def _center_crop(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, spatial.CenterCrop)
    return LayerCall((crop(op.pads(node.inputs[0].type)),))


@RULES.rule(spatial.CropLike)
def _crop_like(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, spatial.CropLike)
    sizes = zip(op.starts(node.input_types), node.inputs[0].type.spatial, node.outputs[0].type.spatial, strict=True)
    return LayerCall((crop(tuple((start, size - start - kept) for start, size, kept in sizes)),), reads=1)


@RULES.rule(spatial.Upsample)
def _upsample(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, spatial.Upsample)
    return _enlarged(node, linear=op.interpolates, align_corners=op.align_corners)


@RULES.rule(spatial.UpsampleLike)
def _upsample_like(node: Node) -> LayerCall:
    op = node.op
    assert isinstance(op, spatial.UpsampleLike)
    sized = op.sized(node.input_types)
    return _enlarged(node, linear=sized.interpolates, align_corners=sized.align_corners)


def _enlarged(node: Node, *, linear: bool, align_corners: bool) -> LayerCall:
    d = axes_of(node)
    sizes = list(zip(node.inputs[0].type.spatial, node.outputs[0].type.spatial, strict=True))
    if any(wanted % size for size, wanted in sizes):
        raise cannot(node, "its upsampling repeats rows a whole number of times")
    if linear and (d != 2 or align_corners):
        raise cannot(node, "its upsampling interpolates between the middles of pixels alone, over two axes")
    factors = tuple(wanted // size for size, wanted in sizes)
    if max(factors) == 1:
        return LayerCall(reads=1)
    if d == 1:  # whose own layer takes the channels last alone
        return LayerCall((function("repeat", "ops.repeat({x}, {times}, axis=2)", {"times": factors[0]}),), reads=1)
    interpolation: Options = {"interpolation": ("bilinear", "nearest")} if linear else {}
    made = layer(f"UpSampling{d}D", {"size": same(factors)}, {"data_format": FIRST, **interpolation})
    return LayerCall((made,), reads=1)


@RULES.rule(slicing.Split)
def _split(node: Node) -> LayerCall:
    op, tensor = node.op, node.inputs[0].type
    assert isinstance(op, slicing.Split)
    cuts = op.cuts(tensor)
    if len(cuts) == 1:
        return LayerCall()
    where: Constant = len(cuts) if len(set(cuts)) == 1 else Listed(_ends(cuts)[:-1])
    numbers: dict[str, Constant] = {"where": where, "axis": op.place(tensor)}
    return LayerCall((function("split", "ops.split({x}, {where}, axis={axis})", numbers),))


def _ends(sizes: Sequence[int]) -> tuple[int, ...]:
    return tuple(sum(sizes[: i + 1]) for i in range(len(sizes)))


@RULES.rule(slicing.Slice)
def _slice(node: Node) -> LayerCall:
    op, tensor = node.op, node.inputs[0].type
    assert isinstance(op, slicing.Slice)
    taken = op.entries(tensor)
    step = f":{taken.step}" if taken.step > 1 else ""
    return LayerCall((function("get_item", f"{{x}}[{':, ' * op.place(tensor)}{taken.start}:{taken.stop}{step}]"),))
