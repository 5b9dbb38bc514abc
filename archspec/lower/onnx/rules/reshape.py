"""Ops that move elements, in ONNX. The batch is never written as a number: a 0 in a shape keeps what is there."""

from __future__ import annotations

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import RULES, identity, take
from archspec.ops.reshape import Flatten, Identity, Permute, Reshape, Select


@RULES.rule(Flatten)
def flatten(op: Flatten, emit: Emit) -> str:
    """Flatten, which leaves two axes; Reshape where more are left."""
    if len(emit.output.sizes) == 1:
        return emit.last("Flatten", emit.input, axis=1)
    return emit.last("Reshape", emit.input, emit.integers("shape", (0, *emit.output.sizes)))


@RULES.rule(Reshape)
def reshape(op: Reshape, emit: Emit) -> str:
    """Reshape, with -1 worked out."""
    return emit.last("Reshape", emit.input, emit.integers("shape", (0, *emit.output.sizes)))


@RULES.rule(Permute)
def permute(op: Permute, emit: Emit) -> str:
    """Transpose."""
    return emit.last("Transpose", emit.input, perm=(0, *op.order))


@RULES.rule(Select)
def select(op: Select, emit: Emit) -> str:
    """Gather."""
    return take(emit, {op.place(emit.type): op.indices})


RULES.rule(Identity)(identity)
