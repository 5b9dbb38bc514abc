"""Recurrent layers in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Constant, Options, function
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, SHARED_RULES, helper_module
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


@SHARED_RULES.rule(Lstm, Gru, Rnn)
def _shared_recurrent(op: Recurrent, node: Node) -> ModuleCall:
    """A function of the weights of the other layer, which has as many layers, directions and biases."""
    states = [f"{{x{i}}}" for i in range(1, len(node.inputs))] or ["None"] * (len(op.ports) - 1)
    numbers: dict[str, Constant] = {"dropout": op.dropout}
    owned = (f"{{weight}}.{name}" for name in ("_flat_weights", "bias", "num_layers"))
    arguments = ["{x0}", *states, *owned, "{dropout}", "{weight}.training", "{weight}.bidirectional"]
    if isinstance(op, Rnn):
        numbers["function"] = op.function
        arguments.append("{function}")
    name = f"run_{op.kind}"
    return ModuleCall(function=function(name, f"{name}({', '.join(arguments)})", numbers), helper=(name, 0))
