"""The summary of a network: as a table, as JSON, and as metadata for model files."""

from __future__ import annotations

from typing import Any, Literal

from archspec.diagnostics import visible
from archspec.ir.graph import Value
from archspec.passes.facts import Facts
from archspec.passes.layer_table import Layer, layers
from archspec.passes.receptive_field import ReceptiveField
from archspec.report import units
from archspec.report.text_table import fitting


def table(
    facts: Facts, depth: int | None = None, *, width: int | None = None, complete: bool = True
) -> list[tuple[str, Emphasis]]:
    """The lines of a table of the layers, at most `width` columns wide, each with its emphasis.

    If layers are missing, since they have errors, it is not `complete`: there are no sums of parts.
    """
    rows = list(layers(facts, depth))
    cells = [_cells(row, counted=complete or not row.part) for row in rows]
    head, rule, *lines = fitting([_HEADINGS, *cells], width, left=3, needed=6)
    emphases: list[Emphasis] = ["part" if row.part else "aside" if row.training_only else "layer" for row in rows]
    return [(head, "heading"), (rule, "rule"), *zip(lines, emphases, strict=True)]


_HEADINGS = ("layer", "op", "output", "params", "MACs", "field", "memory")

Emphasis = Literal["heading", "rule", "part", "layer", "aside"]
"""The kind of a line of the table; an aside is a training-only layer."""


def text(facts: Facts, depth: int | None = None, *, width: int | None = None) -> str:
    """The table and the totals under it."""
    lines = [line for line, _ in table(facts, depth, width=width)]
    return "\n".join([*lines, "", *(f"{label:<12} {words}" for label, words in totals(facts)), ""])


def totals(facts: Facts) -> list[tuple[str, str]]:
    """The label and text of each line under the table."""
    total, memory = facts.total, facts.memory
    fixed = total.params - total.trainable_params
    params = f"{total.params:,}" + (f", of which {fixed:,} are fixed" if fixed else "")
    rows = [("parameters", f"{params} ({units.memory(total.weight_bytes)} with buffers)")]
    if total.buffers:
        rows.append(("buffers", f"{total.buffers:,}"))
    rows.append(("MACs", f"{total.macs:,} for one sample"))
    other = ", ".join(
        f"{count:,} {name}" for name, count in sorted(total.cost.other.items(), key=lambda item: -item[1])
    )
    if other:
        rows.append(("other work", other))
    at = f" at {memory.peak_at}" if memory.peak_at else ""
    rows.append(("activations", f"{units.memory(memory.peak)} at once{at}, {units.memory(memory.total)} in all"))
    if len(facts.field_inputs) < len(facts.graph.inputs):
        rows.append(("fields", f"on the first {len(facts.field_inputs):,} of {len(facts.graph.inputs):,} inputs"))
    rows.append(("fingerprint", facts.fingerprint))
    return rows


def as_json(facts: Facts, variant: str | None, *, complete: bool = True) -> dict[str, Any]:
    """The summary as a JSON object; shapes exclude the batch axis. If it is not `complete`, all totals are null."""
    graph, totals = facts.graph, _totals(facts)
    return {
        "name": graph.name,
        "variant": variant,
        "inputs": {value.name: list(value.type.sizes) for value in graph.inputs},
        "outputs": {output.name: list(output.value.type.sizes) for output in graph.outputs},
        **(totals if complete else dict.fromkeys(totals)),
        "layers": [
            {
                "name": node.name,
                "op": node.op.kind,
                "output": list(node.outputs[0].type.sizes),
                "outputs": {
                    port: list(value.type.sizes) for port, value in zip(node.op.ports, node.outputs, strict=True)
                },
                "params": facts.costs[node].params,
                "macs": facts.costs[node].macs,
                "receptive_field": _field_json(facts, node.outputs[0]),
            }
            for node in graph.nodes
        ],
    }


def _totals(facts: Facts) -> dict[str, Any]:
    total = facts.total
    return {
        "params": total.params,
        "trainable_params": total.trainable_params,
        "buffers": total.buffers,
        "macs": total.macs,
        "fingerprint": facts.fingerprint,
        "operations": total.cost.operations,
        "other_work": dict(total.cost.other),
        "memory": {
            "weights": total.weight_bytes,
            "peak_activations": facts.memory.peak,
            "all_activations": facts.memory.total,
        },
    }


def _field_json(facts: Facts, value: Value) -> dict[str, Any] | None:
    """The field on the one input, null where it is all of it; or those on several inputs that it depends on."""
    fields = {name: field.as_json() for name, field in facts.fields_of(value).items()}
    if len(facts.graph.inputs) > 1:
        return fields
    (source,) = facts.graph.inputs
    nothing = [0] * (source.type.rank - 2)
    return fields.get(source.name, {"size": nothing, "stride": nothing, "offset": nothing})


def stored(facts: Facts, spec: str, variant: str | None, title: str, reference: str) -> dict[str, str]:
    """Metadata for model files: printable texts by key, without the keys of unknown facts."""
    texts = {
        "spec": spec,
        "variant": variant or "",
        "summary": title,
        "reference": reference,
        "parameters": str(facts.total.params),
        "macs": str(facts.total.macs),
    }
    return {key: visible(value) for key, value in texts.items() if value}


def _cells(layer: Layer, *, counted: bool) -> list[str]:
    return [
        "  " * layer.level + layer.name.rpartition(".")[2],
        layer.op,
        " ".join(units.size(value.type.sizes) for value in layer.outputs),
        f"{layer.params:,}" if layer.params and counted else "",
        f"{layer.macs:,}" if layer.macs and counted else "",
        _fields(layer),
        units.memory(sum(value.type.bytes for value in layer.outputs)),
    ]


def _fields(layer: Layer) -> str:
    """The sizes of its receptive fields: `212`, or `left 5×3, right all` in a network with several inputs."""
    several = len(layer.facts.graph.inputs) > 1
    return ", ".join(f"{name} {_field(field)}" if several else _field(field) for name, field in layer.fields.items())


def _field(field: ReceptiveField) -> str:
    """The size of a receptive field: `212`, `5×3`, `all`."""
    if field.everything:
        return "all"
    sizes = ["all" if size is None else str(size) for size in field.size]
    return sizes[0] if len(set(sizes)) == 1 else "×".join(sizes)
