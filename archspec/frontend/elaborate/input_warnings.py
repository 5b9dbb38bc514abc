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
    """A warning for each input that looks like images with their batch axis, or with their channels last."""
    declared = {input.name: input for input in spec.inputs}
    for value in graph.inputs:
        sizes = value.type.sizes
        image = _image_meant(sizes)
        if image is None:
            continue
        channels = "one channel" if sizes[0] == 1 else f"{sizes[0]} channels"
        positions = " × ".join(map(str, sizes[1:]))
        code, message = "channels-last", f"'{value.name}' has {channels} here, of {positions} positions"
        help = f"channels come first: {list(image)} is an image"
        if len(sizes) == 4:
            code, message = "batch-axis", f"'{value.name}' is a volume here: {channels}, {positions} positions"
            first = " and start with the channels" if sizes[1:] != image else ""
            help = f"sizes are without the batch axis{first}: {list(image)} is an image"
        yield Diagnostic(code, message, declared[value.name].shape.span, help=help)


def _image_meant(sizes: tuple[int, ...]) -> tuple[int, int, int] | None:
    """The image that was likely meant by sizes with a batch axis, or with channels last; None if they are plausible.

    A volume has more planes than an image has colours, and an input with more channels than that is rarely a volume.
    """
    match sizes:
        case (batch, channels, height, width) if channels <= _MAX_COLOURS < min(height, width):
            if batch == 1 or batch > _MAX_COLOURS or channels in _COLOURS:
                return channels, height, width
        case (_, height, width, channels) if channels <= _MAX_COLOURS < height == width:
            return channels, height, width
        case (height, width, channels) if channels <= _MAX_COLOURS < height == width:
            return channels, height, width
        case (height, width, 3) if min(height, width) >= _SMALL_IMAGE:
            return 3, height, width
    return None


_COLOURS = (1, 3)
"""The usual channels of an image: grey, or red, green and blue."""

_MAX_COLOURS = 4
"""The most channels of an image: red, green, blue and alpha."""

_SMALL_IMAGE = 16
"""The least size of an image that is not square."""
