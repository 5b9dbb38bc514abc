"""Bare parameters in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.ir.types import Weight
from archspec.lower.text.code_model import Argument, Call, Constant, call, function
from archspec.lower.torch.init_calls import init_options
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, SHARED_RULES, of_weights
from archspec.ops import parameters


def parameter(weight: Weight, *axes: str) -> Call:
    """The construction of a bare parameter by the module around its op; axes are names such as `channels`, or 1."""
    pairs = list(zip(axes, weight.shape, strict=True))
    sizes: dict[str, Argument] = {name: size for name, size in pairs if name != "1"}
    shape = ", ".join(name if name == "1" else f"{{{name}}}" for name in axes)
    kind, options = weight.initializer.kind, weight.initializer.options
    match kind:
        case "zeros" | "ones":
            values = f"torch.{kind}({shape})"
        case "constant":
            size = f"({shape},)" if len(axes) == 1 else f"({shape})"
            values, sizes = f"torch.full({size}, {{value}})", {**sizes, **options}  # type: ignore[dict-item]
        case "values":
            values = f"torch.empty({shape})"
        case _:
            options_shown: dict[str, Constant] = dict(init_options(weight.initializer))  # type: ignore[arg-type]
            keywords = "".join(f", {name}={{{name}}}" for name in options_shown)
            values, sizes = f"nn.init.{kind}_(torch.empty({shape}){keywords})", {**sizes, **options_shown}
    return Call("nn.Parameter", sizes, template=f"nn.Parameter({values})")


@RULES.rule(parameters.LayerScale)
def _layer_scale(op: parameters.LayerScale, node: Node) -> ModuleCall:
    (weight,) = node.weights
    construction = parameter(weight, "channels", *("1" for _ in weight.shape[1:]))
    axis = node.inputs[0].type.rank - len(weight.shape)
    view = ", ".join([f"{{x}}.shape[{axis}]", *("1" for _ in weight.shape[1:])])
    checked = ModuleCall(function=function("scale", f"{{weight}}.view({view}) * {{x}}"), parameter=construction)
    return ModuleCall(function=function("scale", "{weight} * {x}"), parameter=construction, checked=checked)


@RULES.rule(parameters.ClassToken)
def _class_token(op: parameters.ClassToken, node: Node) -> ModuleCall:
    (weight,) = node.weights
    template = "torch.cat([{weight}.expand({x}.shape[0], -1, -1), {x}], dim=1)"
    return ModuleCall(function=function("token", template), parameter=parameter(weight, "1", "1", "channels"))


@RULES.rule(parameters.PositionEmbedding)
def _position_embedding(op: parameters.PositionEmbedding, node: Node) -> ModuleCall:
    (weight,) = node.weights
    names = {1: ("channels",), 2: ("length", "channels")}.get(len(weight.shape) - 1)
    names = names or ("channels", *(f"size{axis}" for axis in range(1, len(weight.shape) - 1)))
    construction = parameter(weight, "1", *names)
    expanded = ", ".join(["{x}.shape[0]", *("-1" for _ in names)])
    stacked = function("positions", f"torch.stack([{{x}}, {{weight}}.expand({expanded})]).sum(dim=0)")
    checked = ModuleCall(function=stacked, parameter=construction)
    return ModuleCall(function=function("positions", "{x} + {weight}"), parameter=construction, checked=checked)


@RULES.rule(parameters.Parameter)
def _parameter(op: parameters.Parameter, node: Node) -> ModuleCall:
    (weight,) = node.weights
    names = ("length", "channels") if len(op.sizes) == 2 else [f"size{axis}" for axis in range(len(op.sizes))]
    times = ", ".join(["{x}.shape[0]", *("1" for _ in op.sizes)])
    # `expand` would return a view of the parameter, which requires gradients even where none are recorded.
    template = f"{{weight}}.repeat({times})"
    return ModuleCall(function=function("parameter", template), parameter=parameter(weight, *names))


@RULES.rule(parameters.Embedding)
def _embedding(op: parameters.Embedding, node: Node) -> ModuleCall:
    return ModuleCall(call("nn.Embedding", {"num_embeddings": op.entries, "embedding_dim": op.features}, {}))


@SHARED_RULES.rule(parameters.Embedding)
def _shared_embedding(op: parameters.Embedding, node: Node) -> ModuleCall:
    return ModuleCall(function=of_weights("F.embedding", ("weight",)))
