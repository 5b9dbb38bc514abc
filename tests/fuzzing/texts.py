"""What must hold for any bytes that are read as a spec."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any
from unittest.mock import patch

from jsonschema import Draft202012Validator

import archspec
from archspec.diagnostic_codes import CODES
from archspec.diagnostics import ArchspecError, Diagnostic
from archspec.frontend.elaborate.budget import Budget
from archspec.frontend.language.json_schema import schema
from archspec.frontend.language.spec import Body, Step
from archspec.frontend.yaml.tree import decode
from archspec.frontend.yaml.tree import parse as parse_yaml
from archspec.loading import check_source
from archspec.network import Network
from tests.fuzzing.corpus import plain

WRITTEN = 200
"""The most layers of a network that is also written as source."""


def problems(data: bytes) -> Iterator[str]:
    """How `check`, `parse` and `schema` fail on bytes: with unsound diagnostics, or because they disagree.

    Whatever they raise is a failure too.
    """
    try:
        source = decode("spec.yaml", data)
    except ArchspecError as error:
        yield from unsound(error.diagnostics)
        return
    found = check_source(source)
    yield from unsound(found)
    accepted = all(each.severity == "warning" for each in found)
    try:
        network = archspec.parse(source.text, name="spec.yaml")
    except ArchspecError as error:
        yield from unsound(error.diagnostics)
        if accepted and not _is_a_library(plain(parse_yaml(source)[0])):
            yield f"check accepts what parse rejects: {error.diagnostics[0].code}"
        return
    if accepted:
        if _all_built(network) and not validator().is_valid(plain(parse_yaml(source)[0])):
            yield "check accepts what the schema rejects"
        yield from _unwritable(network)


def layers_built(data: bytes) -> int:
    """How many layers `check` and `parse` build for these bytes, those of all variants together."""
    source, count = decode("spec.yaml", data), Budget.count_layer
    with patch.object(Budget, "count_layer", autospec=True, side_effect=count) as counted:
        check_source(source)
        with suppress(ArchspecError):
            archspec.parse(source.text, name="spec.yaml")
    return counted.call_count


def _all_built(network: Network) -> bool:
    """Whether every layer and every structure of the spec is in the network: the values in others are not looked at."""
    built = {item.span for item in (*network.graph.nodes, *network.graph.body.scopes())}
    assert network.spec is not None
    bodies = [network.spec.layers, *(block.layers for block in network.spec.blocks.values() if block is not None)]
    return all(step.span in built for body in bodies for step in _steps(body))


def _steps(body: Body) -> Iterator[Step]:
    for step in body:
        yield step
        for inner in step.bodies():
            yield from _steps(inner)


def _is_a_library(tree: Any) -> bool:
    """Whether a spec is a file of blocks, which can be checked and not loaded."""
    return isinstance(tree, dict) and "layers" not in tree


def _unwritable(network: Network) -> Iterator[str]:
    """How what shows and writes a small network fails."""
    if len(network.graph.nodes) > WRITTEN:
        return
    if not all(line.isprintable() for line in network.summary().split("\n")):
        yield "the summary has characters that cannot be printed"
    json.dumps(network.as_json(), allow_nan=False)
    for target in ("torch", "keras"):
        try:
            compile(network.source(target), "<source>", "exec")
        except ArchspecError as error:
            yield from unsound(error.diagnostics)


@cache
def validator() -> Any:
    """The validator of the JSON Schema of specs."""
    return Draft202012Validator(schema())


def unsound(found: Iterable[Diagnostic]) -> Iterator[str]:
    """How diagnostics are not what they must be: known, inside the text, short and safe to print."""
    for each in found:
        if each.code not in CODES:
            yield f"unknown code {each.code}"
        if each.span is not None and not _is_inside(each):
            yield f"{each.code} at {each.span} is outside of the text"
        rendered = each.render()
        if not all(line.isprintable() for line in rendered.split("\n")):
            yield f"{each.code} cannot be printed: {rendered!r}"
        if len(rendered) >= 3_000:
            yield f"{each.code} has {len(rendered)} characters"
        if json.loads(json.dumps(each.as_json()))["code"] != each.code:
            yield f"{each.code} is not itself in JSON"


def _is_inside(diagnostic: Diagnostic) -> bool:
    """Whether the first character of the span is in the text, or just past the end of its line; its end no earlier."""
    span = diagnostic.span
    assert span is not None
    lines = span.source.lines
    return (
        1 <= span.line <= len(lines)
        and 1 <= span.column <= len(lines[span.line - 1]) + 1
        and (span.line, span.column) <= (span.end_line, span.end_column)
        and span.end_line <= len(lines) + 1
    )
