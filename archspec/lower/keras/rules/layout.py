"""Ops that move elements, in Keras. The sizes of a functional model are known: what follows a size is a number."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import FIRST, Written, axes_of, cannot, family, layer, padded
from archspec.lower.keras.rules.conv import crop
from archspec.lower.text.calls import Constant, Listed, Options, function, same
from archspec.ops import layout, like, parts

RULES = family("layout")


@RULES.rule(layout.Identity)
def _identity(node: Node) -> Written:
    return Written((layer("Identity", {}),))


@RULES.rule(layout.Flatten, layout.Reshape)
def _reshape(node: Node) -> Written:
    # `Flatten` puts the channels last before it flattens, if that is how Keras is set: `Reshape` never does.
    return Written((layer("Reshape", {"target_shape": node.outputs[0].type.sizes}),))


@RULES.rule(layout.Permute)
def _permute(node: Node) -> Written:
    op = node.op
    assert isinstance(op, layout.Permute)
    return Written((layer("Permute", {"dims": op.order}),))


@RULES.rule(layout.Select)
def _select(node: Node) -> Written:
    op = node.op
    assert isinstance(op, layout.Select)
    numbers: dict[str, Constant] = {"indices": Listed(op.indices), "axis": op.place(node.inputs[0].type)}
    return Written((function("take", "ops.take({x}, {indices}, axis={axis})", numbers),))


@RULES.rule(layout.Pad)
def _pad(node: Node) -> Written:
    op = node.op
    assert isinstance(op, layout.Pad)
    pads = op.pads(node.inputs[0].type)
    if not any(map(any, pads)):
        return Written()
    if op.mode == "constant":
        return Written((padded(pads, op.value),))
    if op.mode != "reflect":
        raise cannot(node, f"its padding has no mode {op.mode}")
    widths: Constant = ((0, 0), (0, 0), *pads)
    return Written((function("pad", 'ops.pad({x}, {widths}, mode="reflect")', {"widths": widths}),))


@RULES.rule(layout.PadChannels)
def _pad_channels(node: Node) -> Written:
    op, tensor = node.op, node.inputs[0].type
    assert isinstance(op, layout.PadChannels)
    pads = [(0, op.channels - tensor.channels), *((0, 0) for _ in tensor.spatial)]
    return Written((padded(pads, before=1),))


@RULES.rule(layout.CenterCrop)
def _center_crop(node: Node) -> Written:
    op = node.op
    assert isinstance(op, layout.CenterCrop)
    return Written((crop(op.pads(node.inputs[0].type)),))


@RULES.rule(like.CropLike)
def _crop_like(node: Node) -> Written:
    op = node.op
    assert isinstance(op, like.CropLike)
    sizes = zip(op.starts(node.input_types), node.inputs[0].type.spatial, node.outputs[0].type.spatial, strict=True)
    return Written((crop(tuple((start, size - start - kept) for start, size, kept in sizes)),), reads=1)


@RULES.rule(layout.Upsample)
def _upsample(node: Node) -> Written:
    op = node.op
    assert isinstance(op, layout.Upsample)
    return _enlarged(node, linear=op.interpolates, align_corners=op.align_corners)


@RULES.rule(like.UpsampleLike)
def _upsample_like(node: Node) -> Written:
    op = node.op
    assert isinstance(op, like.UpsampleLike)
    sized = op.sized(node.input_types)
    return _enlarged(node, linear=sized.interpolates, align_corners=sized.align_corners)


def _enlarged(node: Node, *, linear: bool, align_corners: bool) -> Written:
    d = axes_of(node)
    sizes = list(zip(node.inputs[0].type.spatial, node.outputs[0].type.spatial, strict=True))
    if any(wanted % size for size, wanted in sizes):
        raise cannot(node, "its upsampling repeats rows a whole number of times")
    if linear and (d != 2 or align_corners):
        raise cannot(node, "its upsampling interpolates between the middles of pixels alone, over two axes")
    factors = tuple(wanted // size for size, wanted in sizes)
    if max(factors) == 1:
        return Written(reads=1)
    if d == 1:  # whose own layer takes the channels last alone
        return Written((function("repeat", "ops.repeat({x}, {times}, axis=2)", {"times": factors[0]}),), reads=1)
    interpolation: Options = {"interpolation": ("bilinear", "nearest")} if linear else {}
    made = layer(f"UpSampling{d}D", {"size": same(factors)}, {"data_format": FIRST, **interpolation})
    return Written((made,), reads=1)


@RULES.rule(parts.Split)
def _split(node: Node) -> Written:
    op, tensor = node.op, node.inputs[0].type
    assert isinstance(op, parts.Split)
    cuts = op.cuts(tensor)
    if len(cuts) == 1:
        return Written()
    where: Constant = len(cuts) if len(set(cuts)) == 1 else Listed(_ends(cuts)[:-1])
    numbers: dict[str, Constant] = {"where": where, "axis": op.place(tensor)}
    return Written((function("split", "ops.split({x}, {where}, axis={axis})", numbers),))


def _ends(sizes: Sequence[int]) -> tuple[int, ...]:
    return tuple(sum(sizes[: i + 1]) for i in range(len(sizes)))


@RULES.rule(parts.Slice)
def _slice(node: Node) -> Written:
    op, tensor = node.op, node.inputs[0].type
    assert isinstance(op, parts.Slice)
    taken = op.entries(tensor)
    step = f":{taken.step}" if taken.step > 1 else ""
    return Written((function("get_item", f"{{x}}[{':, ' * op.place(tensor)}{taken.start}:{taken.stop}{step}]"),))
