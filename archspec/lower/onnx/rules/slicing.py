"""Parts of a value, in ONNX."""

from __future__ import annotations

from archspec.lower.onnx.builder import Emit
from archspec.lower.onnx.rules.common import RULES
from archspec.ops.slicing import Slice, Split


@RULES.rule(Split)
def split(op: Split, emit: Emit) -> str | tuple[str, ...]:
    """Split; of one part there is nothing to cut off."""
    cuts = op.cuts(emit.type)
    if len(cuts) == 1:
        return emit.input
    made = [emit.made(port) for port in range(len(cuts))]
    inputs = emit.input, emit.integers("sizes", cuts)
    return emit.write(emit.node.name, "Split", inputs, made, {"axis": op.place(emit.type)})


@RULES.rule(Slice)
def slice_(op: Slice, emit: Emit) -> str:
    """Slice, with all its bounds counted from the start."""
    taken = op.entries(emit.type)
    bounds = {"starts": taken.start, "ends": taken.stop, "axes": op.place(emit.type), "steps": taken.step}
    return emit.last("Slice", emit.input, *(emit.integers(name, [bound]) for name, bound in bounds.items()))
