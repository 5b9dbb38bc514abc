"""Comparing a network with the `expect` of its spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from archspec.diagnostics import ArchspecError, Diagnostic, Edit, Span, did_you_mean
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.expressions.values import Data, show
from archspec.frontend.language.fields import Field
from archspec.frontend.language.spec import Argument, Expected
from archspec.passes.facts import Facts
from archspec.passes.fingerprint import VERSION
from archspec.passes.layer_table import Layer, layers
from archspec.passes.receptive_field import ReceptiveField


def failures(expected: Expected, params: Environment, facts: Facts) -> Iterator[Diagnostic]:
    """A diagnostic for each expectation that fails.

    Args:
        expected: what the spec expects.
        params: the params that its expressions can use.
        facts: the facts of the network.
    """
    name = facts.graph.name
    outputs = {output.name: output.value.type.sizes for output in facts.graph.outputs}
    for fact, field in expected.facts.items():
        if fact == "fingerprint":
            yield from _compare_fingerprint(name, field, facts)
        elif fact != "output":
            yield from _compare(name, fact, field, getattr(facts.total, fact), params)
        elif len(outputs) == 1:
            yield from _compare(name, fact, field, next(iter(outputs.values())), params)
        else:
            message = f"'{name}' has {len(outputs)} outputs"
            help = f"write outputs: {{{', '.join(f'{output}: ...' for output in outputs)}}}"
            yield Diagnostic("expectation-failed", message, field.span, help=help)
    for output, wanted in expected.outputs.items():
        if output in outputs:
            yield from _compare(output, "shape", wanted.value, outputs[output], params)
        else:
            yield _missing("output", output, wanted.key, outputs)
    if expected.layers:
        deepest = max(layer.count(".") for layer in expected.layers)
        by_name = {layer.name: layer for layer in layers(facts, deepest + 1)}
        for layer, (span, fields) in expected.layers.items():
            yield from _compare_layer(layer, span, fields, params, by_name)


def _compare_fingerprint(name: str, field: Field, facts: Facts) -> Iterator[Diagnostic]:
    wanted = field.evaluate({})
    if wanted != facts.fingerprint:
        of_others = not str(wanted).startswith(f"{VERSION}-")
        help = "another version of archspec wrote it" if of_others else "an op, an attribute or an input has changed"
        help += "; `archspec check --update-expect` writes the new one"
        yield _differs(name, "fingerprint", field, wanted, facts.fingerprint, help)


def _compare_layer(
    name: str,
    span: Span,
    fields: Mapping[str, Field | Mapping[str, Argument]],
    params: Environment,
    layers: Mapping[str, Layer],
) -> Iterator[Diagnostic]:
    layer = layers.get(name)
    if layer is None or not layer.outputs:
        yield _missing("layer", name, span, layers)
        return
    for fact, field in fields.items():
        if fact == "receptive_field":
            yield from _compare_receptive_field(layer, field, params)
        elif isinstance(field, Field):
            yield from _compare(name, fact, field, getattr(layer, fact), params)


def _missing(what: str, name: str, span: Span, known: Iterable[str]) -> Diagnostic:
    return Diagnostic("expectation-failed", f"there is no {what} '{name}'", span, help=did_you_mean(name, known))


def _compare(what: str, fact: str, field: Field, actual: Data, params: Environment) -> Iterator[Diagnostic]:
    try:
        wanted = field.evaluate(params)
    except ArchspecError as error:
        yield from error.diagnostics
        return
    if wanted != actual:
        yield _differs(what, fact, field, wanted, actual)


def _compare_receptive_field(
    layer: Layer, expected: Field | Mapping[str, Argument], params: Environment
) -> Iterator[Diagnostic]:
    """Fields are expected on inputs by name, or on each input that the layer depends on."""
    inputs = {value.name: value for value in layer.facts.graph.inputs}
    if isinstance(expected, Field):
        fields = layer.fields if len(inputs) > 1 else dict.fromkeys(inputs, layer.field)
        yield from _compare_sizes(layer, fields, expected, params)
        return
    for name, wanted in expected.items():
        if name in inputs:
            field = layer.facts.fields_on(inputs[name]).get(layer.outputs[0])
            yield from _compare_sizes(layer, {name: field}, wanted.value, params)
        else:
            yield _missing("input", name, wanted.key, inputs)


def _compare_sizes(
    layer: Layer, fields: Mapping[str, ReceptiveField | None], field: Field, params: Environment
) -> Iterator[Diagnostic]:
    """The field on each of these inputs is expected as one number for all axes, or as one number per axis."""
    try:
        wanted = field.evaluate(params)
    except ArchspecError as error:
        yield from error.diagnostics
        return
    several = len(layer.facts.graph.inputs) > 1
    names = [*fields]
    help = f"write {{{', '.join(f'{name}: ...' for name in names)}}} for one on each input" if len(names) > 1 else None
    for name, actual in fields.items():
        what = f"{layer.name}' on '{name}" if several else layer.name
        sizes = actual.size if actual else ()
        if actual is None:
            if wanted != 0:
                yield _differs(what, "receptive_field", field, wanted, 0)
        elif not sizes or None in sizes:
            message = f"receptive field of '{what}' should be {_show(wanted)}, but is the whole input"
            yield Diagnostic("expectation-failed", message, field.span, help=help)
        elif sizes != (wanted if isinstance(wanted, tuple) else (wanted,) * len(sizes)):
            shown = sizes[0] if len(set(sizes)) == 1 and not isinstance(wanted, tuple) else sizes
            yield _differs(what, "receptive_field", field, wanted, shown, help)


def _differs(what: str, fact: str, field: Field, wanted: Data, actual: Data, help: str | None = None) -> Diagnostic:
    label, verb = fact.replace("_", " "), "are" if fact.endswith("s") else "is"
    message = f"{label} of '{what}' should be {_show(wanted)}, but {verb} {_show(actual)}"
    return Diagnostic("expectation-failed", message, field.span, help=help, edits=(Edit(field.span, spelt(actual)),))


def spelt(fact: Data) -> str:
    """A fact as it is written in a spec."""
    if isinstance(fact, tuple):
        return f"[{', '.join(map(spelt, fact))}]"
    return f"{fact:_}" if isinstance(fact, int) and fact >= _GROUPED else str(fact)


_GROUPED = 10_000
"""From here on, the digits of numbers are written in groups."""


def _show(value: Data) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else show(value)
