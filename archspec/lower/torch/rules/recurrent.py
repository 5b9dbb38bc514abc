"""Recurrent layers in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Options
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, helper_module
from archspec.ops.recurrent import Gru, Lstm, Recurrent, Rnn


@RULES.rule(Lstm, Gru, Rnn)
def _recurrent(op: Recurrent, node: Node) -> ModuleCall:
    required = {"input_size": node.inputs[0].type.sizes[1], "hidden_size": op.features}
    optional: Options = {
        "num_layers": (op.depth, 1), "bias": (op.bias, True), "batch_first": (True, False),
        "dropout": (op.dropout, 0.0), "bidirectional": (op.bidirectional, False),
    }  # fmt: skip
    if isinstance(op, Rnn):
        optional = {**optional, "nonlinearity": (op.function, "tanh")}
    return helper_module({Lstm: "Lstm", Gru: "Gru", Rnn: "Rnn"}[type(op)], required, optional)
