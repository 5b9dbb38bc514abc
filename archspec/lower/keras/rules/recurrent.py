"""Recurrent layers in Keras, whose own have one bias where PyTorch has two."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import RULES, LayerCall, WeightLayout, helper_layer
from archspec.lower.text.code_model import Constant, Options
from archspec.ops.recurrent import Gru, Lstm, Recurrent, Rnn


@RULES.rule(Lstm, Gru, Rnn)
def _recurrent(op: Recurrent, node: Node) -> LayerCall:
    cell = f"rnn_{op.function}" if isinstance(op, Rnn) else op.kind
    required: dict[str, Constant] = {"units": op.features, "cell": cell}
    optional: Options = {
        "num_layers": (op.depth, 1), "bidirectional": (op.bidirectional, False), "use_bias": (op.bias, True),
        "dropout": (op.dropout, 0.0),
    }  # fmt: skip
    return helper_layer("Recurrent", required, optional, tuple(WeightLayout(weight.name) for weight in node.weights))
