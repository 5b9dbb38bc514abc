"""What runs only while training, and who may need it: nobody that runs always."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.diagnostics import Diagnostic, Span
from archspec.ir.graph import Output, Scope


def misplaced(body: Scope, outputs: Sequence[Output], span: Span | None) -> Iterator[Diagnostic]:
    """The layers that run always and read what is there only while training; and that nothing else is returned.

    Args:
        body: the whole network.
        outputs: what it returns.
        span: where the spec says what that is.
    """
    beside = set(body.training_only_nodes())
    makers = {value: node for node in beside for value in node.outputs}
    for node in body.nodes():
        maker = next((makers[value] for value in node.inputs if value in makers), None)
        if maker is not None and node not in beside:
            message = f"'{node.name}' runs always, and '{maker.name}', which it reads, only while training"
            yield Diagnostic("training-only", message, node.span, help="leave out training_only, or read another layer")
    if outputs and all(output.training_only for output in outputs):
        message, help = "all that is returned is there only while training", "return what there is at inference, too"
        yield Diagnostic("training-only", message, span, help=help)
