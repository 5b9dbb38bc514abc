"""How far a spec expands before anything is built: recursive blocks, and layers counted."""

from __future__ import annotations

import pytest

from archspec.frontend.language.expansion_limits import endless_recursions, layers_at_least
from archspec.frontend.language.files import read
from archspec.frontend.language.spec import Spec
from archspec.frontend.limits import MAX_LAYERS
from tests.frontend.specs import Source, faults, spec


def recursions(blocks: str) -> list[str]:
    return [message for code, message in faults("[relu]", f"blocks: {{{blocks}}}") if code == "endless-recursion"]


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ("a: {layers: [a]}", "'a' calls itself, with no `when` to end the recursion"),
        ("a: {layers: [b]}, b: {layers: [a]}", "'a' calls 'b', which calls 'a', with no `when` to end the recursion"),
        ("b: {layers: [c]}, c: {layers: [a]}, a: {layers: [b]}",
        "'b' calls 'c', which calls 'a', which calls 'b', with no `when` to end the recursion"),
        ("a: {layers: [a: {when: true}]}", "'a' calls itself, with no `when` to end the recursion"),
        ("a: {layers: [repeat: {times: 1, layers: [a]}]}", "'a' calls itself, with no `when` to end the recursion"),
        ("a: {layers: [repeat: {over: [1, x], layers: [a]}]}", "'a' calls itself, with no `when` to end the recursion"),
        ("a: {layers: [residual: {layers: [], shortcut: [side: [parallel: {paths: [[a]]}]]}]}",
        "'a' calls itself, with no `when` to end the recursion"),
    ],
)  # fmt: skip
def test_blocks_that_surely_call_themselves(blocks, message):
    assert recursions(blocks) == [message]


@pytest.mark.parametrize(
    "blocks",
    [
        "a: {layers: [b]}, b: {layers: [c, c]}, c: {layers: []}",
        "a: {layers: [a: {when: in.channels > 3}]}",
        "a: {layers: [sequential: {when: in.channels > 3, layers: [a]}]}",
        "a: {layers: [repeat: {times: 0, layers: [a]}]}",
        "a: {layers: [repeat: {times: in.channels - 4, layers: [a]}]}",
        "a: {layers: [repeat: {over: [], layers: [a]}]}",
        "a: {args: [k], layers: [$k: 1]}",
    ],
)
def test_blocks_that_may_end(blocks):
    assert recursions(blocks) == []


def test_every_cycle_is_reported_once():
    found = recursions("a: {layers: [a, b]}, b: {layers: [b, a]}, c: {layers: [d, a]}, d: {layers: [c, b]}")
    assert [message.split(",")[0] for message in found] == ["'a' calls itself", "'b' calls itself", "'c' calls 'd'"]


def typed(layers: str, blocks: str = "") -> Spec:
    found, _ = read(Source("net.yaml", spec(layers, f"blocks: {{{blocks}}}")))
    assert found is not None
    return found


def test_layers_are_counted_through_blocks_and_iterations():
    blocks = "a: {layers: [repeat: {times: 100, layers: [relu, relu]}]}, b: {layers: [a, a, residual: [a]]}"
    assert layers_at_least(typed("[repeat: {times: 400, layers: [b]}]", blocks)) is None, "240,800 layers"
    found, faults = read(Source("net.yaml", spec("[repeat: {times: 417, layers: [b]}]", f"blocks: {{{blocks}}}")))
    assert found is None
    assert [fault.message for fault in faults] == [f"the network would have {417 * 601:,} layers here"]
    assert 400 * 601 <= MAX_LAYERS < 417 * 601


def test_what_may_be_left_out_does_not_count():
    blocks = "a: {layers: [repeat: {times: 1000, layers: [relu]}]}"
    assert layers_at_least(typed("[repeat: {times: 1000, layers: [a: {when: in.channels > 9}]}]", blocks)) is None


def test_no_blocks_have_no_cycle():
    assert list(endless_recursions({})) == []
