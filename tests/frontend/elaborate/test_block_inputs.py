"""Blocks that name their inputs and outputs: how values are passed, read inside, and returned."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from textwrap import dedent

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from archspec.diagnostics import ArchspecError, Source
from archspec.loading import check_source
from archspec.network import Network
from tests.frontend.specs import built, faults, net, spec

GATE = """
    blocks:
      gate:
        inputs: [skip, signal]
        args: {width: signal.channels // 2}
        layers:
          - conv: {name: wx, from: skip, channels: width, kernel: 1}
          - conv: {name: wg, from: signal, channels: width, kernel: 1}
          - add: [wx, wg]
          - relu
          - conv: {name: psi, channels: 1, kernel: 1}
          - sigmoid
          - mul: [skip, prev]
"""

TWO = """
    blocks:
      two:
        inputs: [skip, signal]
        layers:
          - conv: {name: low, from: skip, channels: 3, kernel: 1}
          - conv: {name: high, from: signal, channels: 3, kernel: 1}
          - relu: {name: last, from: low}
        outputs: {top: high, bottom: low}
"""

WIDE = "- conv: {name: wide, channels: 8, kernel: 3, padding: 1}"


def text(layers: str, head: str) -> str:
    return net(layers, dedent(head)).text


# --- passing --------------------------------------------------------------------------------------------------------


def test_values_are_passed_in_order_or_by_name() -> None:
    in_order = text(f"{WIDE}\n- gate: {{from: [input, prev], width: 2}}", GATE)
    assert in_order == text(f"{WIDE}\n- gate: {{from: {{skip: input, signal: prev}}, width: 2}}", GATE)
    assert in_order == text(f"{WIDE}\n- gate: {{from: {{signal: wide, skip: input}}, width: 2}}", GATE)
    assert "block gate gate(skip: input, signal: wide) {" in in_order


@pytest.mark.parametrize("order", [*permutations("abc")])
def test_names_can_come_in_any_order(order: tuple[str, ...]) -> None:
    head = "blocks: {b: {inputs: [a, b, c], layers: [concat: {name: all, from: [c, a, b]}, relu]}}"
    layers = "[relu: {name: x}, tanh: {name: y}, silu: {name: z}, b: {from: "
    values = dict(zip("abc", "xyz", strict=True))
    by_name = ", ".join(f"{name}: {values[name]}" for name in order)
    assert net(f"{layers}{{{by_name}}}}}]", head).text == net(f"{layers}[x, y, z]}}]", head).text


def test_all_parts_of_a_split_are_inputs() -> None:
    head = "blocks: {b: {inputs: [a, b], layers: [concat: [b, a]]}}"
    expected = ["s = split(input) {parts: 2}", "b.concat = concat(s.1, s.0)"]
    assert built("[split: {name: s, parts: 2}, b]", head)[-2:] == expected


def test_the_same_value_can_be_passed_twice() -> None:
    network = net("- gate: {from: [input, input]}", GATE)
    assert network.outputs == {"output": (4, 8, 8)}
    assert network.to_torch()(torch.zeros(1, 4, 8, 8)).shape == (1, 4, 8, 8)


def test_arguments_at_a_call_see_all_its_inputs() -> None:
    head = "blocks: {b: {inputs: [a, b], args: [width], layers: [conv: {channels: width, kernel: 1}]}}"
    assert built("- b: {from: [input, input], width: 2 * in.channels}", head)[-1].endswith("{channels: 8, kernel: 1}")
    assert faults(f"{WIDE}\n- b: {{from: [input, wide], width: in.channels}}", head) == [
        ("bad-expression", "the 2 inputs differ in channels: 4 and 8")
    ]


# --- reading --------------------------------------------------------------------------------------------------------


def test_the_first_layer_and_in_read_the_first_input() -> None:
    head = "blocks: {b: {inputs: [a, b], layers: [relu, add: [in, b], add: [in, prev]]}}"
    assert built(f"{WIDE}\n- b: {{from: [wide, wide]}}", head)[1:] == [
        "b.relu = relu(wide)",
        "b.add = add(wide, wide)",
        "b.add_1 = add(wide, b.add)",
    ]


def test_in_is_the_entry_of_any_block() -> None:
    head = "blocks: {b: {layers: [relu, sequential: {name: s, layers: [tanh, add: {name: sum, from: [in, prev]}]}]}}"
    assert built("- b", head)[-1] == "b.s.sum = add(input, b.s.tanh)"


def test_a_layer_can_be_named_in() -> None:
    head = "blocks: {b: {layers: [relu: {name: in}, tanh, add: [in, prev]]}}"
    assert built("- b", head)[-1] == "b.add = add(b.in, b.tanh)"
    assert built("[relu: {name: in}, tanh, add: [in, prev]]")[-1] == "add = add(in, tanh)"


@pytest.mark.parametrize(
    ("field", "layer"),
    [
        ("conv: {channels: 2 * b.channels, kernel: 1}", "conv(input) {channels: 16, kernel: 1}"),
        ("conv: {channels: 1, kernel: b.spatial}", "conv(input) {channels: 1, kernel: [8, 8]}"),
        ("conv: {channels: 'b.shape[0]', kernel: 1}", "conv(input) {channels: 8, kernel: 1}"),
        ("relu: {when: a.channels < b.channels}", "relu(input)"),
        ("repeat: {times: b.channels // a.channels - 1, layers: [relu]}", "relu(input)"),
    ],
)
def test_expressions_know_the_sizes_of_inputs(field: str, layer: str) -> None:
    head = f"blocks: {{b: {{inputs: [a, b], layers: [{field}]}}}}"
    assert built(f"{WIDE}\n- b: {{from: [input, wide]}}", head)[-1].partition(" = ")[2] == layer


def test_an_input_hides_a_param_and_a_variable_hides_an_input() -> None:
    head = "params: {a: 9}\nblocks: {b: {inputs: [a], layers: [repeat: {over: [3, 5], as: a, layers: [linear: a]}]}}"
    assert [line.partition(" {")[2] for line in built("[flatten, b]", head)[1:]] == ["features: 3}", "features: 5}"]
    assert faults("[flatten, linear: {features: a.channels}]", "params: {a: 9}") == [
        ("bad-expression", "'a' has no attributes")
    ]


def test_names_of_inputs_in_a_list_are_texts() -> None:
    layer = "repeat: {over: [a, b], as: which, layers: [relu: {name: of_$which, from: $which}]}"
    head = f"blocks: {{b: {{inputs: [a, b], layers: [{layer}]}}}}"
    assert built("- b: {from: [input, input]}", head) == ["b.of_a = relu(input)", "b.of_b = relu(input)"]


def test_an_unknown_input_causes_no_other_errors() -> None:
    layers = "- conv: {name: wide, channels: 0, kernel: 1}\n- gate: {from: [input, wide]}\n- relu"
    assert len(faults(layers, GATE)) == 1


# --- returning ------------------------------------------------------------------------------------------------------


def test_all_outputs_flow_on_and_one_is_asked_for_by_name() -> None:
    layers = f"{WIDE}\n- two: {{name: t, from: [input, wide]}}\n- add\n- mul: [t.bottom, t.top, t.last]"
    assert built(layers, TWO)[-2:] == ["add = add(t.high, t.low)", "mul = mul(t.low, t.high, t.last)"]


def test_a_list_of_outputs_is_named_after_the_layers() -> None:
    head = "blocks: {b: {layers: [relu: {name: one}, tanh: {name: two}, silu], outputs: [two, one]}}"
    assert built("[b, concat]", head)[-1] == "concat = concat(b.two, b.one)"


def test_one_output_may_be_any_layer() -> None:
    head = "blocks: {b: {layers: [relu: {name: kept}, side: [tanh], silu], outputs: kept}}"
    assert built("[b, gelu]", head)[-1] == "gelu = gelu(b.kept)"


def test_repeats_and_paths_pass_several_values() -> None:
    layers = f"""
        {WIDE}
        - repeat: {{name: r, from: [input, wide], times: 2, layers: [two: {{name: t}}]}}
        - parallel: {{join: add, paths: [[], [two]]}}
    """
    assert built(layers, TWO)[-1] == "add = add(r.1.t.high, r.1.t.low, two.high, two.low)"
    assert "r.1.t.low = conv(r.0.t.high) {channels: 3, kernel: 1}" in built(layers, TWO)


def test_the_weights_of_a_block_and_of_a_layer_it_returns_are_shared() -> None:
    layers = """
        - two: {name: t, from: [input, input]}
        - two: {name: again, from: [input, input], share: t}
        - conv: {from: input, channels: 3, kernel: 1, share: t.low}
        - add: [again.top, again.bottom, t.top, t.bottom, prev]
    """
    network = net(layers, TWO)
    assert [name for name, _ in network.graph.weights()] == [
        "t.low.weight", "t.low.bias", "t.high.weight", "t.high.bias",
    ]  # fmt: skip


def test_a_block_with_inputs_calls_itself() -> None:
    head = """
        blocks:
          level:
            inputs: [top, state]
            args: [depth]
            layers:
              - conv: {name: body, from: top, channels: 4, kernel: 3, padding: 1}
              - level: {name: inner, when: depth > 0, from: {state: body, top: state}, depth: depth - 1}
              - add: [prev, state]
    """
    assert built("- level: {name: u, from: [input, input], depth: 1}", head) == [
        "u.body = conv(input) {channels: 4, kernel: 3, padding: 1}",
        "u.inner.body = conv(input) {channels: 4, kernel: 3, padding: 1}",
        "u.inner.add = add(u.inner.body, u.body)",
        "u.add = add(u.inner.add, input)",
    ]


# --- targets and facts ----------------------------------------------------------------------------------------------


def gated() -> Network:
    layers = """
        - conv: {name: near, channels: 8, kernel: 3, padding: 1}
        - conv: {name: far, channels: 6, kernel: 3, padding: 1}
        - gate: {name: g1, from: [near, far]}
        - gate: {name: g2, from: {signal: far, skip: g1}, width: 5}
    """
    return net(layers, GATE)


def test_pytorch_computes_the_gate_of_the_formula() -> None:
    """sigmoid(psi(relu(wx x + wg g))) x, equation (1) of Oktay et al., Attention U-Net, 2018."""
    network = gated()
    x = torch.randn(2, 4, 8, 8)
    weights = {name: torch.from_numpy(array) for name, array in network.weights().items()}

    def conv(value: Tensor, name: str, padding: int = 0) -> Tensor:
        return functional.conv2d(value, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=padding)

    near = conv(x, "near", 1)
    far = conv(near, "far", 1)
    value = near
    for name in ("g1", "g2"):
        hidden = functional.relu(conv(value, f"{name}.wx") + conv(far, f"{name}.wg"))
        value = value * torch.sigmoid(conv(hidden, f"{name}.psi"))
    torch.testing.assert_close(network.to_torch(network.weights()).eval()(x), value)


def test_source_has_one_class_or_function_with_named_inputs() -> None:
    source = gated().source()
    assert source.count("class Gate") == 1
    assert "def forward(self, skip: Tensor, signal: Tensor) -> Tensor:" in source
    assert "self.g2(x, far)" in source
    keras = " ".join(gated().source("keras").split())
    assert "def gate( skip: KerasTensor, signal: KerasTensor, width: int, *, name: str ) -> KerasTensor:" in keras


def test_source_returns_several_values_as_a_tuple() -> None:
    layers = "[relu: {name: r}, two: {name: a, from: [input, r]}, two: {name: b}, two: {name: c}, add]"
    source, keras = (net(layers, TWO).source(target) for target in ("torch", "keras"))
    assert "def forward(self, skip: Tensor, signal: Tensor) -> tuple[Tensor, Tensor]:" in source
    assert "top, bottom = self.b(top, bottom)" in source
    assert "-> tuple[KerasTensor, KerasTensor]:" in keras


def test_names_that_python_reserves_are_replaced() -> None:
    head = "blocks: {b: {inputs: [print, torch], layers: [add: [print, torch], relu], outputs: {class: relu}}}"
    source = net("[tanh: {name: t}, b: {name: one, from: [input, t]}]", head).source()
    assert "def forward(self, x1: Tensor, x2: Tensor)" in source
    compile(source, "source.py", "exec")


def test_receptive_fields_are_those_along_each_input() -> None:
    head = f"inputs: {{near: [4, 16, 16], far: [4, 16, 16]}}\n{dedent(GATE)}"
    layers = "- conv: {name: c, from: far, channels: 4, kernel: 5, padding: 2}\n- gate: {name: g, from: [near, c]}"
    network = net(layers, head, input="")
    facts = network.facts
    assert facts.field_sizes(network.graph.outputs[0].value) == {"near": (1, 1), "far": (5, 5)}


def test_a_size_that_changes_is_reported_with_the_name_of_the_input(tmp_path: Path) -> None:
    head = "blocks: {b: {inputs: [a, b], layers: [conv: {channels: 'b.spatial[0]', kernel: 1}]}}"
    with pytest.raises(ArchspecError, match=r"'b\.spatial' depends on the size"):
        net("- b: {from: [input, input]}", head).to_onnx(tmp_path / "net.onnx", dynamic=True)


# --- warnings -------------------------------------------------------------------------------------------------------


def warned(layers: str, head: str) -> list[str]:
    return [found.message for found in check_source(Source("net.yaml", spec(layers, dedent(head))))]


def test_check_warns_about_an_input_that_is_never_read() -> None:
    head = "blocks: {b: {inputs: [a, b, c], layers: [conv: {from: b, channels: a.channels, kernel: 1}]}}"
    assert warned("- b: {from: [input, input, input]}", head) == ["'b' never reads its input 'c'"]


def test_check_says_nothing_about_an_output_that_one_call_leaves_out() -> None:
    head = "blocks: {b: {layers: [relu: {name: a}, conv: {name: c, channels: 2, kernel: 1}, tanh: {name: d}], "
    head += "outputs: [a, d]}}"
    assert warned("[b: {name: x}, relu: {from: x.a}]", head) == []
    assert warned("[b: {name: x}, relu: {from: input}]", head) == ["the output of 'x.d' is never used"]
