"""References to layers further down: too early, or in a ring."""

from __future__ import annotations

import pytest

from tests.frontend.specs import faults, mistakes


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("[relu: {name: a, from: a}]", "'a' needs its own value"),
        ("[relu: {name: a, from: b}, relu: {name: b}]", "'a' needs 'b', and 'b' needs 'a'"),
        ("[relu: {name: a, from: b}, relu: {name: b, from: a}]", "'a' needs 'b', and 'b' needs 'a'"),
        ("[relu: {name: a, from: b}, tanh, relu: {name: b, from: prev}]", "'a' needs 'b', and 'b' needs 'a'"),
        ("[relu: {name: a, from: b}, side: [tanh], relu: {name: b}]", "'a' needs 'b', and 'b' needs 'a'"),
        ("[relu: {name: a, from: b.c}, sequential: {name: b, layers: [relu: {name: c}]}]",
        "'a' needs 'b', and 'b' needs 'a'"),
        ("[relu: {name: a, from: c}, residual: [relu, relu: {name: c}]]", "'a' needs 'c', and 'c' needs 'a'"),
        ("[relu: {from: b}, relu: {name: b}]", "the relu needs 'b', and 'b' needs the relu"),
        ("[sequential: [relu: {from: b}], relu: {name: b}]",
        "the sequential needs 'b', and 'b' needs the sequential"),
        ("[sequential: {name: s, layers: [relu: {from: s}]}]", "'s' needs its own value"),
        ("[sequential: [relu: {name: a, from: b}, relu: {name: b}]]", "'a' needs 'b', and 'b' needs 'a'"),
        ("[repeat: {times: 1, layers: [relu: {name: a, from: b}, relu: {name: b}]}]",
        "'a' needs 'b', and 'b' needs 'a'"),
        ("[add: {name: a, from: [input, b]}, relu: {name: b, from: input}, add: {name: c, from: [a, b]}]", None),
        ("[relu: {name: a, from: b}, relu: {name: b, from: input}]", None),
        ("[relu: {name: a}, relu: {from: c}, relu: {name: b, from: a}, relu: {name: c}]", None),
        ("[linear: {features: 8, share: b}, linear: {name: b, features: 8}]", None),
        ("[parallel: {paths: [[relu: {from: b}], [relu: {name: b}]]}]", None),
        ("[parallel: {paths: {x: [relu: {from: y.b}], y: [relu: {name: b}]}}]", None),
    ],
)  # fmt: skip
def test_a_ring_is_told_from_a_layer_out_of_order(layers, message):
    ((code, told),) = faults(layers)
    if message is None:
        assert code == "unknown-layer"
        assert told.endswith("comes after this layer")
    else:
        assert (code, told) == ("cycle", message)


def test_the_ring_is_written_out():
    layers = "\n".join(
        ["- relu: {name: a, from: d}", "- tanh", "- add: {name: c, from: [prev, a]}", "- relu: {name: d}"]
    )
    (found,) = mistakes(layers)
    assert found.notes == (
        ("'a':", "line 5", "needs 'd'"),
        ("'d':", "line 8", "needs 'c'"),
        ("'c':", "line 7", "needs 'a'"),
    )


def test_a_long_ring_is_cut():
    layers = "\n".join(["- relu: {name: a, from: z}", *["- relu"] * 50, "- relu: {name: z}"])
    (found,) = mistakes(layers)
    assert len(found.notes) == 7
    assert found.notes[-1] == ("and 46 more",)


def test_rings_in_blocks_are_told_once():
    head = "blocks: {b: {layers: [relu: {name: a, from: c}, relu: {name: c}]}}"
    assert [code for code, _ in faults("[b, b, b]", head)] == ["cycle"]


def test_a_name_that_is_nowhere():
    assert faults("[relu: {from: nowhere}]") == [("unknown-layer", "there is no layer 'nowhere' above this one")]
    assert faults("[relu]", tail="outputs: nowhere") == [("unknown-layer", "there is no layer 'nowhere'")]


def test_a_large_body_is_looked_through_quickly():
    """A thousand references too early cost a thousand times a look through ten thousand layers if done by each pair."""
    layers = "\n".join(["- relu: {from: z}", *["- relu"] * 3_000, "- relu: {name: z}"])
    assert [code for code, _ in faults(layers)] == ["cycle"]
