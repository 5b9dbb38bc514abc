"""Forward references: out of order, or in a cycle."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.frontend.specs import faults, mistakes, spec


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
def test_a_cycle_differs_from_a_layer_out_of_order(layers, message):
    ((code, message_text),) = faults(layers)
    if message is None:
        assert code == "unknown-layer"
        assert message_text.endswith("comes after this layer")
    else:
        assert (code, message_text) == ("cycle", message)


def test_the_notes_list_the_cycle():
    layers = "\n".join(
        ["- relu: {name: a, from: d}", "- tanh", "- add: {name: c, from: [prev, a]}", "- relu: {name: d}"]
    )
    (found,) = mistakes(layers)
    assert found.notes == (
        ("'a':", "line 5", "needs 'd'"),
        ("'d':", "line 8", "needs 'c'"),
        ("'c':", "line 7", "needs 'a'"),
    )


def test_a_long_cycle_is_shortened():
    layers = "\n".join(["- relu: {name: a, from: z}", *["- relu"] * 50, "- relu: {name: z}"])
    (found,) = mistakes(layers)
    assert len(found.notes) == 7
    assert found.notes[-1] == ("and 46 more",)


def test_cycles_in_blocks_are_reported_once():
    head = "blocks: {b: {layers: [relu: {name: a, from: c}, relu: {name: c}]}}"
    assert [code for code, _ in faults("[b, b, b]", head)] == ["cycle"]


def test_an_unknown_name():
    assert faults("[relu: {from: nowhere}]") == [("unknown-layer", "there is no layer 'nowhere' above this one")]
    assert faults("[relu]", tail="outputs: nowhere") == [("unknown-layer", "there is no layer 'nowhere'")]


def test_a_large_body_is_searched_quickly():
    """The search for a cycle is linear in the number of layers."""
    layers = "\n".join(["- relu: {from: z}", *["- relu"] * 3_000, "- relu: {name: z}"])
    assert [code for code, _ in faults(layers)] == ["cycle"]


def test_only_the_explanation_of_a_cycle_imports_networkx():
    for source, imported in (("input", "False"), ("b", "True")):
        text = spec(f"[relu: {{name: a, from: {source}}}, relu: {{name: b}}]")
        script = "import sys; from archspec.diagnostics import Source; from archspec.loading import check_source; "
        script += f"check_source(Source('net.yaml', {text!r})); print('networkx' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == imported
