"""What a spec says must come out, held against what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archspec.diagnostics import Diagnostic, Span, did_you_mean
from archspec.frontend.spec import Expected
from archspec.frontend.terms import Scope
from archspec.frontend.values import Data, show
from archspec.frontend.written import Written
from archspec.ir.graph import Node, Region
from archspec.passes.facts import Facts


def failures(expected: Expected, scope: Scope, known: Facts) -> Iterator[Diagnostic]:
    """A diagnostic for each expectation that fails, pointing at it.

    Raises:
        ArchspecError: an expectation is no expression.
    """
    graph, total = known.graph, known.total
    facts: dict[str, Data] = {
        "params": total.params,
        "trainable_params": total.trainable_params,
        "buffers": total.buffers,
        "macs": total.macs,
    }
    outputs = {output.name: output.value.type.sizes for output in graph.outputs}
    if len(outputs) == 1:
        facts["output"] = next(iter(outputs.values()))
    for name, written in expected.facts.items():
        if name == "output" and name not in facts:
            help = f"write outputs: {{{', '.join(f'{name}: ...' for name in outputs)}}}"
            yield Diagnostic("expectation-failed", f"the network has {len(outputs)} outputs", written.span, help=help)
        else:
            yield from _compare(graph.name, name, written, facts[name], scope)
    for name, written in expected.outputs.items():
        if name in outputs:
            yield from _compare(name, "shape", written, outputs[name], scope)
        else:
            yield Diagnostic(
                "expectation-failed", f"there is no output '{name}'", written.span, help=did_you_mean(name, outputs)
            )
    layers = dict(_layers(graph.body)) if expected.layers else {}
    for name, (span, wanted) in expected.layers.items():
        yield from _layer(name, span, wanted, scope, layers, known)


def _layer(
    name: str,
    span: Span,
    wanted: Mapping[str, Written],
    scope: Scope,
    layers: Mapping[str, Node | Region],
    known: Facts,
) -> Iterator[Diagnostic]:
    layer = layers.get(name)
    if layer is None or not layer.outputs:
        yield Diagnostic("expectation-failed", f"there is no layer '{name}'", span, help=did_you_mean(name, layers))
        return
    nodes = [layer] if isinstance(layer, Node) else list(layer.nodes())
    value = layer.outputs[0]
    field = known.fields.get(value)
    facts: dict[str, Data] = {
        "shape": value.type.sizes,
        "params": sum(known.costs[node].params for node in nodes),
        "macs": sum(known.costs[node].macs for node in nodes),
        "receptive_field": field.size if field else (),
    }
    for fact, written in wanted.items():
        yield from _compare(name, fact, written, facts[fact], scope)


def _compare(what: str, fact: str, written: Written, got: Data, scope: Scope) -> Iterator[Diagnostic]:
    wanted = written.evaluate(scope)
    if fact == "receptive_field" and isinstance(got, tuple) and not isinstance(wanted, tuple):
        same = bool(got) and all(size == wanted for size in got)
        got = got[0] if len(set(got)) == 1 else got
    else:
        same = wanted == got
    if not same:
        label = fact.replace("_", " ")
        yield Diagnostic(
            "expectation-failed",
            f"{label} of '{what}' should be {_show(wanted)}, and {'are' if label.endswith('s') else 'is'} {_show(got)}",
            written.span,
        )


def _show(value: Data) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else show(value)


def _layers(region: Region) -> Iterator[tuple[str, Node | Region]]:
    """Every layer and every named region, by its path. A node goes before a region of the same name."""
    for item in region.items:
        if isinstance(item, Node):
            yield item.name, item
        else:
            if item.name is not None:
                yield item.name, item
            yield from _layers(item)
