"""Checks that no layer that runs at inference reads a value computed only while training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.diagnostics import Diagnostic, Span
from archspec.ir.graph import Output, Scope


def check_training_only(body: Scope, outputs: Sequence[Output], span: Span | None) -> Iterator[Diagnostic]:
    """An error for each inference layer that reads a training-only value, and for a network without other outputs.

    Args:
        body: the whole network.
        outputs: its outputs.
        span: where the spec declares the outputs.
    """
    training_only = set(body.training_only_nodes())
    producers = {value: node for node in training_only for value in node.outputs}
    for node in body.nodes():
        producer = next((producers[value] for value in node.inputs if value in producers), None)
        if producer is not None and node not in training_only:
            message = f"'{node.name}' runs at inference, but '{producer.name}', which it reads, only while training"
            yield Diagnostic("training-only", message, node.span, help="remove training_only, or read another layer")
    if outputs and all(output.training_only for output in outputs):
        message, help = "all outputs are computed only while training", "return a value that exists at inference, too"
        yield Diagnostic("training-only", message, span, help=help)
