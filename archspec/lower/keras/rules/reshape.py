"""Reshapes, permutations, selections and repetitions in Keras.

All sizes but the batch are known, and written as numbers.
"""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, layer
from archspec.lower.text.code_model import Constant, ListLiteral, function
from archspec.ops import Op, reshape


@RULES.rule(reshape.Identity)
def _identity(op: reshape.Identity, node: Node) -> LayerCall:
    return LayerCall((layer("Identity", {}),))


@RULES.rule(reshape.Flatten, reshape.Reshape, reshape.Squeeze, reshape.Unsqueeze)
def _reshape(op: Op, node: Node) -> LayerCall:
    # `Flatten` moves the channels to the end if Keras is configured for channels first; `Reshape` never does.
    return LayerCall((layer("Reshape", {"target_shape": node.outputs[0].type.sizes}),))


@RULES.rule(reshape.Permute)
def _permute(op: reshape.Permute, node: Node) -> LayerCall:
    return LayerCall((layer("Permute", {"dims": op.order}),))


@RULES.rule(reshape.Select)
def _select(op: reshape.Select, node: Node) -> LayerCall:
    numbers: dict[str, Constant] = {"indices": ListLiteral(op.indices), "axis": op.normalized_axis(node.inputs[0].type)}
    return LayerCall((function("take", "ops.take({x}, {indices}, axis={axis})", numbers),))


@RULES.rule(reshape.Expand)
def _expand(op: reshape.Expand, node: Node) -> LayerCall:
    pairs = zip(node.inputs[0].type.sizes, node.outputs[0].type.sizes, strict=True)
    times = {axis: wanted for axis, (size, wanted) in enumerate(pairs, start=1) if size != wanted}
    return LayerCall(
        tuple(
            function("repeat", "ops.repeat({x}, {times}, axis={axis})", {"times": number, "axis": axis})
            for axis, number in times.items()
        )
    )


@RULES.rule(reshape.Tile)
def _tile(op: reshape.Tile, node: Node) -> LayerCall:
    numbers: dict[str, Constant] = {"times": (1, *op.times)}
    return LayerCall((function("tile", "ops.tile({x}, {times})", numbers),))
