"""What a spec says must come out, held against what comes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from archspec.diagnostics import ArchspecError, Diagnostic, Span, did_you_mean
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.expressions.values import Data, show
from archspec.frontend.language.fields import Field
from archspec.frontend.language.spec import Expected
from archspec.passes.facts import Facts
from archspec.passes.layer_table import Layer, layers
from archspec.passes.receptive_field import ReceptiveField


def failures(expected: Expected, scope: Environment, known: Facts) -> Iterator[Diagnostic]:
    """A diagnostic for each expectation that fails, pointing at it."""
    name = known.graph.name
    outputs = {output.name: output.value.type.sizes for output in known.graph.outputs}
    for fact, written in expected.facts.items():
        if fact != "output":
            yield from _compare(name, fact, written, getattr(known.total, fact), scope)
        elif len(outputs) == 1:
            yield from _compare(name, fact, written, next(iter(outputs.values())), scope)
        else:
            message = f"'{name}' has {len(outputs)} outputs"
            help = f"write outputs: {{{', '.join(f'{output}: ...' for output in outputs)}}}"
            yield Diagnostic("expectation-failed", message, written.span, help=help)
    for output, given in expected.outputs.items():
        if output in outputs:
            yield from _compare(output, "shape", given.value, outputs[output], scope)
        else:
            yield _missing("output", output, given.place, outputs)
    if expected.layers:
        deepest = max(layer.count(".") for layer in expected.layers)
        found = {layer.name: layer for layer in layers(known, deepest + 1)}
        for name, (span, wanted) in expected.layers.items():
            yield from _layer(name, span, wanted, scope, found)


def _layer(
    name: str, span: Span, wanted: Mapping[str, Field], scope: Environment, found: Mapping[str, Layer]
) -> Iterator[Diagnostic]:
    layer = found.get(name)
    if layer is None or not layer.outputs:
        yield _missing("layer", name, span, found)
        return
    for fact, written in wanted.items():
        if fact == "receptive_field":
            yield from _compare_field(name, written, layer.field, scope)
        else:
            yield from _compare(name, fact, written, getattr(layer, fact), scope)


def _missing(what: str, name: str, span: Span, known: Iterable[str]) -> Diagnostic:
    return Diagnostic("expectation-failed", f"there is no {what} '{name}'", span, help=did_you_mean(name, known))


def _compare(what: str, fact: str, written: Field, got: Data, scope: Environment) -> Iterator[Diagnostic]:
    try:
        wanted = written.evaluate(scope)
    except ArchspecError as error:
        yield from error.diagnostics
        return
    if wanted != got:
        yield _differs(what, fact, written, wanted, got)


def _compare_field(what: str, written: Field, field: ReceptiveField | None, scope: Environment) -> Iterator[Diagnostic]:
    """A receptive field is expected as one number for all axes, or as one for each."""
    sizes = field.size if field else ()
    try:
        wanted = written.evaluate(scope)
    except ArchspecError as error:
        yield from error.diagnostics
        return
    each = wanted if isinstance(wanted, tuple) else (wanted,) * len(sizes)
    if not sizes or None in sizes:
        message = f"receptive field of '{what}' should be {_show(wanted)}, and it sees all of the input"
        yield Diagnostic("expectation-failed", message, written.span)
    elif each != sizes:
        one = sizes[0] if len(set(sizes)) == 1 and not isinstance(wanted, tuple) else sizes
        yield _differs(what, "receptive_field", written, wanted, one)


def _differs(what: str, fact: str, written: Field, wanted: Data, got: Data) -> Diagnostic:
    label, verb = fact.replace("_", " "), "are" if fact.endswith("s") else "is"
    message = f"{label} of '{what}' should be {_show(wanted)}, and {verb} {_show(got)}"
    return Diagnostic("expectation-failed", message, written.span)


def _show(value: Data) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else show(value)
