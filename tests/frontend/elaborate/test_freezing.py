"""Frozen parts: which weights are trained, as the spec says and as the caller does."""

from __future__ import annotations

from textwrap import dedent

import pytest

import archspec
from archspec.diagnostics import ArchspecError
from archspec.network import Network
from tests.frontend.specs import faults, net, spec

UNIT = """
    blocks:
      unit:
        args: [width]
        layers: [conv: {name: c, channels: width, kernel: 1, bias: false}, batch_norm: {name: n}]
"""


def trained(network: Network) -> set[str]:
    """The layers with weights that are trained."""
    return {key.rpartition(".")[0] for key, weight in network.graph.weights() if weight.trainable}


def in_pytorch(network: Network) -> set[str]:
    """The same, as the parameters of the PyTorch module say."""
    return {name.rpartition(".")[0] for name, each in network.to_torch().named_parameters() if each.requires_grad}


@pytest.mark.parametrize(
    "part",
    [
        "unit: {name: a, width: 3, trainable: false}",
        "$kind: {name: a, width: 3, trainable: false}",
        "sequential: {name: a, trainable: false, layers: [unit: {width: 3}]}",
        "sequential: {name: a, trainable: false, layers: [unit: {width: 3, trainable: true}]}",
        "residual: {name: a, trainable: false, layers: [unit: {width: 4}], shortcut: [unit: {width: 4}]}",
        "parallel: {name: a, trainable: 1 > 2, paths: [[unit: {width: 4}], [unit: {width: 3}]]}",
        "repeat: {name: a, trainable: in.channels > 9, times: 2, layers: [unit: {width: 4}]}",
        "side: {name: a, trainable: false, layers: [unit: {width: 4}]}",
        "sequential: {trainable: false, layers: [unit: {width: 3}, repeat: {times: 2, layers: [unit: {width: 4}]}]}",
    ],
)
def test_everything_in_a_frozen_part_is_frozen(part: str) -> None:
    head = f"params: {{kind: unit}}\n{dedent(UNIT)}" if "$kind" in part else UNIT
    network = net(f"- {part}\n- unit: {{name: b, width: 2}}", head, "outputs: [b]")
    assert trained(network) == in_pytorch(network) == {"b.c", "b.n"}


def test_a_computed_op_can_be_frozen() -> None:
    network = net("[$kind: {name: a, channels: 3, kernel: 1, trainable: false}, conv: {channels: 2, kernel: 1}]",
                  "params: {kind: conv}")  # fmt: skip
    assert trained(network) == {"conv"}


def test_shared_weights_are_as_their_owner_says() -> None:
    layers = (
        "[unit: {name: a, width: 4}, sequential: {trainable: false, layers: [unit: {name: b, width: 4, share: a}]}]"
    )
    assert trained(net(layers, UNIT)) == {"a.c", "a.n"}


def test_a_frozen_module_is_frozen_in_one_line() -> None:
    layers = """
        - sequential: {name: encoder, trainable: false, layers: [unit: {width: 3}, unit: {width: 4}]}
        - conv: {name: one, channels: 4, kernel: 1, bias: false, trainable: false}
        - unit: {name: b, width: 2}
    """
    source = net(layers, UNIT).source()
    assert [line.strip() for line in source.splitlines() if "requires_grad_" in line] == [
        'self.get_submodule("encoder").requires_grad_(False)',
        'self.get_parameter("one.weight").requires_grad_(False)',
    ]


def test_parts_of_a_network_are_frozen_by_name() -> None:
    text = spec("[unit: {name: a, width: 4}, unit: {name: b, width: 4}, conv: {share: b.c}]", UNIT)
    assert trained(archspec.parse(text, freeze=["a", "b.n"])) == {"b.c"}
    network = archspec.parse(text, freeze=["b"])
    assert trained(network) == in_pytorch(network) == {"a.c", "a.n"}


@pytest.mark.parametrize("name", ["c", "a.x", "relu", ""])
def test_a_part_without_weights_cannot_be_frozen(name: str) -> None:
    text = spec("[unit: {name: a, width: 4}, relu]", UNIT)
    with pytest.raises(ArchspecError, match="there is no layer or part"):
        archspec.parse(text, freeze=[name])


def test_conditions_and_shared_weights_are_checked() -> None:
    layers = """
        - unit: {name: a, width: 4}
        - unit: {width: 4, share: a, trainable: false}
        - sequential: {trainable: 3, layers: [relu]}
    """
    assert faults(layers, UNIT) == [
        ("wrong-attributes", "a layer that shares weights cannot set 'trainable'"),
        ("wrong-value", "'trainable' is true or false, not 3"),
    ]
