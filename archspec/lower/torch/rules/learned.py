"""Parameters that stand in a network by themselves, in PyTorch."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.ir.types import Weight
from archspec.lower.text.calls import Argument, Call, Constant, call, function
from archspec.lower.torch.leaf import Leaf
from archspec.lower.torch.rules.common import family
from archspec.lower.torch.starting import options_of
from archspec.ops import learned

RULES = family("learned")


def parameter(weight: Weight, *axes: str) -> Call:
    """How the module around an op makes the parameter it reads; axes are named, `channels`, or of size 1."""
    pairs = list(zip(axes, weight.shape, strict=True))
    sizes: dict[str, Argument] = {name: size for name, size in pairs if name != "1"}
    written = ", ".join(name if name == "1" else f"{{{name}}}" for name in axes)
    kind, options = weight.initializer.kind, weight.initializer.options
    match kind:
        case "zeros" | "ones":
            values = f"torch.{kind}({written})"
        case "constant":
            shape = f"({written},)" if len(axes) == 1 else f"({written})"
            values, sizes = f"torch.full({shape}, {{value}})", {**sizes, **options}  # type: ignore[dict-item]
        case "values":
            values = f"torch.empty({written})"
        case _:
            shown: dict[str, Constant] = dict(options_of(weight.initializer))  # type: ignore[arg-type]
            given = "".join(f", {name}={{{name}}}" for name in shown)
            values, sizes = f"nn.init.{kind}_(torch.empty({written}){given})", {**sizes, **shown}
    return Call("nn.Parameter", sizes, template=f"nn.Parameter({values})")


@RULES.rule(learned.LayerScale)
def _layer_scale(node: Node) -> Leaf:
    (weight,) = node.weights
    made = parameter(weight, "channels", *("1" for _ in weight.shape[1:]))
    return Leaf(function=function("scale", "{weight} * {x}"), parameter=made)


@RULES.rule(learned.ClassToken)
def _class_token(node: Node) -> Leaf:
    (weight,) = node.weights
    template = "torch.cat([{weight}.expand({x}.shape[0], -1, -1), {x}], dim=1)"
    return Leaf(function=function("token", template), parameter=parameter(weight, "1", "1", "channels"))


@RULES.rule(learned.PositionEmbedding)
def _position_embedding(node: Node) -> Leaf:
    (weight,) = node.weights
    names = {1: ("channels",), 2: ("length", "channels")}.get(len(weight.shape) - 1)
    names = names or ("channels", *(f"size{axis}" for axis in range(1, len(weight.shape) - 1)))
    return Leaf(function=function("positions", "{x} + {weight}"), parameter=parameter(weight, "1", *names))


@RULES.rule(learned.Embedding)
def _embedding(node: Node) -> Leaf:
    op = node.op
    assert isinstance(op, learned.Embedding)
    return Leaf(call("nn.Embedding", {"num_embeddings": op.entries, "embedding_dim": op.features}, {}))
