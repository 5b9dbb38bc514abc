"""Warnings about the inputs of a network."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics import Diagnostic
from archspec.frontend.language.spec import Spec
from archspec.ir.graph import Graph


def unused_inputs(spec: Spec, graph: Graph) -> Iterator[Diagnostic]:
    """A warning for each input that no layer reads and that is no output."""
    read = {value for node in graph.nodes for value in node.inputs}
    read.update(output.value for output in graph.outputs)
    declared = {input.name: input for input in spec.inputs}
    for value in graph.inputs:
        if value not in read:
            message, help = f"no layer reads the input '{value.name}'", "name it in the `from` of a layer, or remove it"
            yield Diagnostic("unused-input", message, declared[value.name].shape.span, help=help)


def suspicious_inputs(spec: Spec, graph: Graph) -> Iterator[Diagnostic]:
    """A warning for each input that looks like one image with its batch axis, or with its channels last."""
    declared = {input.name: input for input in spec.inputs}
    for value in graph.inputs:
        match value.type.sizes:
            case (1, channels, height, width) if channels <= _MAX_COLOURS < min(height, width):
                message = f"'{value.name}' is a volume here: one channel, {channels} × {height} × {width} positions"
                help = f"sizes are without the batch axis: [{channels}, {height}, {width}] is an image"
                yield Diagnostic("batch-axis", message, declared[value.name].shape.span, help=help)
            case (height, width, channels) if channels <= _MAX_COLOURS < height == width:
                message = f"'{value.name}' has {height} channels here, of {width} × {channels} positions"
                help = f"channels come first: [{channels}, {height}, {width}] is an image"
                yield Diagnostic("channels-last", message, declared[value.name].shape.span, help=help)


_MAX_COLOURS = 4
"""The most channels of an image: red, green, blue and alpha. Volumes have more planes than that."""
