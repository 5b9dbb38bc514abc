"""Ops that move elements, in Keras. The sizes of a functional model are known: what follows a size is a number."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, layer
from archspec.lower.text.code_model import Constant, Listed, function
from archspec.ops import reshape


@RULES.rule(reshape.Identity)
def _identity(op: reshape.Identity, node: Node) -> LayerCall:
    return LayerCall((layer("Identity", {}),))


@RULES.rule(reshape.Flatten, reshape.Reshape)
def _reshape(op: reshape.Flatten | reshape.Reshape, node: Node) -> LayerCall:
    # `Flatten` puts the channels last before it flattens, if that is how Keras is set: `Reshape` never does.
    return LayerCall((layer("Reshape", {"target_shape": node.outputs[0].type.sizes}),))


@RULES.rule(reshape.Permute)
def _permute(op: reshape.Permute, node: Node) -> LayerCall:
    return LayerCall((layer("Permute", {"dims": op.order}),))


@RULES.rule(reshape.Select)
def _select(op: reshape.Select, node: Node) -> LayerCall:
    numbers: dict[str, Constant] = {"indices": Listed(op.indices), "axis": op.place(node.inputs[0].type)}
    return LayerCall((function("take", "ops.take({x}, {indices}, axis={axis})", numbers),))
