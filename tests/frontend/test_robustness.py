"""Whatever is written, `check` answers with diagnostics: known codes, positions inside the text, safe to print."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archspec.diagnostic_codes import CODES
from archspec.diagnostics import ArchspecError, Diagnostic, Source
from archspec.frontend.elaborate import budget
from archspec.frontend.yaml.tree import decode
from archspec.loading import check_source
from tests.strategies import mutated_texts, mutated_trees

SLOW = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.fixture(autouse=True, scope="module")
def small_networks():
    """Limits act the same at any size, and small ones are reached sooner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "MAX_LAYERS", 3_000)
        patch.setattr(budget, "MAX_STEPS", 12_000)
        yield


def assert_sound(found: tuple[Diagnostic, ...]) -> None:
    for each in found:
        assert each.code in CODES
        if each.span is not None:
            assert_inside(each)
        rendered = each.render()
        assert all(line.isprintable() for line in rendered.split("\n"))
        assert len(rendered) < 3_000
        assert json.loads(json.dumps(each.as_json()))["code"] == each.code


def assert_inside(each: Diagnostic) -> None:
    """The first character of the span is in the text, or just past the end of its line; its end is no earlier."""
    span = each.span
    assert span is not None
    lines = span.source.lines
    assert 1 <= span.line <= len(lines)
    assert 1 <= span.column <= len(lines[span.line - 1]) + 1
    assert (span.line, span.column) <= (span.end_line, span.end_column)
    assert span.end_line <= len(lines) + 1


@SLOW
@given(mutated_texts())
def test_mutated_texts_lead_to_diagnostics_alone(text):
    assert_sound(check_source(Source("spec.yaml", text)))


@SLOW
@given(mutated_trees())
def test_mutated_trees_lead_to_diagnostics_alone(text):
    assert_sound(check_source(Source("spec.yaml", text)))


@given(st.text())
def test_random_text_leads_to_diagnostics_alone(text):
    assert_sound(check_source(Source("spec.yaml", text)))


@given(st.binary())
def test_random_bytes_lead_to_diagnostics_alone(data):
    try:
        found = check_source(decode("spec.yaml", data))
    except ArchspecError as error:
        found = error.diagnostics
    assert_sound(found)
    assert found, "no random bytes are a spec"


@given(mutated_texts())
def test_the_same_text_leads_to_the_same_diagnostics(text):
    first, again = (check_source(Source("spec.yaml", text)) for _ in range(2))
    assert [each.render() for each in first] == [each.render() for each in again]
