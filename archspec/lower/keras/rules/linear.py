"""Linear layers in Keras."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, WeightLayout, helper_layer, layer
from archspec.ops import linear


@RULES.rule(linear.Linear)
def _linear(op: linear.Linear, node: Node) -> LayerCall:
    bias = (WeightLayout("bias"),) if op.bias else ()
    return LayerCall(
        (layer("Dense", {"units": op.features}, {"use_bias": (op.bias, True)}),),
        (WeightLayout("weight", (1, 0)), *bias),
    )


@RULES.rule(linear.CapsuleVotes)
def _capsule_votes(op: linear.CapsuleVotes, node: Node) -> LayerCall:
    call = layer("EinsumDense", {"equation": "nik,ijfk->nijf", "output_shape": node.outputs[0].type.sizes})
    return LayerCall((call,), (WeightLayout("weight"),))


@RULES.rule(linear.RadialBasis)
def _radial_basis(op: linear.RadialBasis, node: Node) -> LayerCall:
    return helper_layer("RadialBasis", {"units": op.units}, weights=(WeightLayout("weight"),))
