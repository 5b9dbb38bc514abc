"""Whatever is written, `check` answers with diagnostics: known codes, positions inside the text, safe to print."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archspec.diagnostics import ArchspecError, Diagnostic, Source
from archspec.frontend.elaborate import budget
from archspec.frontend.yaml.tree import decode
from archspec.loading import check_source
from tests.fuzzing.texts import unsound
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
    assert not list(unsound(found))


@SLOW
@given(mutated_texts)
def test_mutated_texts_lead_to_diagnostics_alone(text):
    assert_sound(check_source(Source("spec.yaml", text)))


@SLOW
@given(mutated_trees)
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


@given(mutated_texts)
def test_the_same_text_leads_to_the_same_diagnostics(text):
    first, again = (check_source(Source("spec.yaml", text)) for _ in range(2))
    assert [each.render() for each in first] == [each.render() for each in again]
