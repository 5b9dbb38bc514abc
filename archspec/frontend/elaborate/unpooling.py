"""Max unpooling returns values of the size that the pooling read whose indices it is given."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics import fail
from archspec.frontend.elaborate.context import BuildContext
from archspec.frontend.elaborate.nodes import NodeFactory
from archspec.frontend.elaborate.references import labelled_inputs
from archspec.frontend.elaborate.shape_mismatch import LabelledValue
from archspec.frontend.elaborate.symbols import SymbolTable
from archspec.frontend.language.spec import Step
from archspec.ir.graph import Node, Value
from archspec.ops.pool import MaxPool


def note_pooling(node: Node, context: BuildContext, nodes: NodeFactory) -> None:
    """Note what a layer with several outputs reads, if it is a pooling with indices."""
    if type(node.op) is MaxPool:
        _, indices = node.outputs
        nodes.pooled[indices] = node.inputs[0], tuple(_calls(context.symbols))


def unpooling_inputs(
    inputs: tuple[Value, ...], step: Step, context: BuildContext, nodes: NodeFactory
) -> list[LabelledValue]:
    """The inputs of a max unpooling; the third, which gives the size, is what the pooling read.

    Raises:
        ArchspecError: the third input has another size, or the layer is in a block that does not know the pooling.
    """
    labelled = labelled_inputs(step, inputs, context)
    known = nodes.pooled.get(inputs[1]) if len(inputs) in (2, 3) else None
    if known is None:
        return labelled
    pooled, calls = known
    read = LabelledValue("pooled", pooled, "gives the size")
    notes = nodes.shape_notes([*labelled, read], step.span.source)
    if len(inputs) == 3:
        if inputs[2].type.spatial != pooled.type.spatial:
            message = f"the indices are places in {pooled.type}, which the pooling read, not in {inputs[2].type}"
            help = "leave the third input out: what the pooling read gives the size"
            raise fail("shape-mismatch", message, step.span, notes=notes, help=help)
        return labelled
    block = next(_calls(context.symbols), None)
    if (
        block is not None
        and block not in calls
        and (pooled,) not in [block.entries[name].values for name in block.inputs if name in block.entries]
    ):
        message = "'max_unpool' returns the size that the pooling read, which this block does not know"
        help = "give the block one more input, what the pooling read, and name it third: from: [prev, indices, pooled]"
        raise fail("wrong-arity", message, step.span, notes=notes, help=help)
    return [*labelled, read]


def _calls(symbols: SymbolTable) -> Iterator[SymbolTable]:
    """The tables of the blocks that a scope is in, the innermost first."""
    table: SymbolTable | None = symbols
    while table is not None:
        if table.caller is not None:
            yield table
        table = table.outer or table.caller
