"""How the items of `layers` are read: ops in all their forms, calls, structures, and what is left of broken ones."""

from __future__ import annotations

import pytest

from archspec.frontend.language.fields import ConstantField
from archspec.frontend.language.files import read
from archspec.frontend.language.op_registry import OP_KINDS
from archspec.frontend.language.spec import (
    BrokenStep,
    CallStep,
    OpStep,
    ParallelStep,
    RepeatStep,
    ResidualStep,
    SequentialStep,
    SideStep,
    Step,
)
from archspec.frontend.language.steps import usage
from archspec.frontend.language.structures import CONSTRUCTS
from archspec.ops.attribute_types import attributes_of
from archspec.ops.merge import Join
from tests.frontend.specs import Source, spec

BLOCKS = "blocks: {b: {args: [x], layers: []}}"


def steps(layers: str) -> tuple[tuple[Step, ...], list[str]]:
    found, faults = read(Source("net.yaml", spec(layers, BLOCKS)))
    return found.layers if found else (), [fault.code for fault in faults]


def step(layer: str) -> Step:
    (found,), faults = steps(f"- {layer}")
    assert faults == []
    return found


def mistakes(layer: str) -> list[str]:
    return steps(f"- {layer}")[1]


# --- ops ------------------------------------------------------------------------------------------------------------


def worth(found: Step) -> dict[str, object]:
    assert isinstance(found, OpStep)
    return {name: value.evaluate({}) for name, value in found.attributes.items()}


def test_an_op_in_all_its_forms():
    for layer in ("relu", "relu:", "relu: ~", "relu: {}", '"relu"'):
        found = step(layer)
        assert isinstance(found, OpStep)
        assert (found.op.kind, found.attributes, found.name, found.sources, found.when) == (
            "relu",
            {},
            None,
            None,
            None,
        )
    assert worth(step("linear: 5")) == worth(step("linear: {features: 5}")) == {"features": 5}
    assert worth(step("conv: {channels: 8, kernel: [3, 1], bias: false}")) == {
        "channels": 8,
        "kernel": (3, 1),
        "bias": False,
    }


def test_a_join_names_its_values_in_short():
    for layer in ("add: [a, b]", "add: {from: [a, b]}"):
        found = step(layer)
        assert found.sources is not None
        assert [source.constant for source in found.sources] == ["a", "b"]
    assert [source.constant for source in step("concat: a").sources or ()] == ["a"]


def test_the_common_keys():
    found = step("relu: {name: act$i, from: a.b, when: x > 3}")
    assert found.name is not None
    assert found.when is not None
    assert (found.name.names, found.when.names) == ({"i"}, {"x"})
    assert [source.constant for source in found.sources or ()] == ["a.b"]


@pytest.mark.parametrize("kind", sorted(OP_KINDS))
def test_every_op_can_be_read_and_says_what_it_needs(kind):
    """The value 1 may not fit every attribute; that is for the op to say, when it is made."""
    known = attributes_of(OP_KINDS[kind])
    required = [name for name in known if known[name].required]
    found = step(f"{kind}: {{{', '.join(f'{name}: 1' for name in known)}}}")
    assert isinstance(found, OpStep)
    assert list(found.attributes) == list(known)
    assert mistakes(kind) == (["missing-attribute"] if required else [])
    assert mistakes(f"{kind}: {{nmae: x}}") == ["unknown-key"]
    assert usage(OP_KINDS[kind]).startswith(f"write - {kind}")


def test_an_op_knows_the_names_its_attributes_read():
    reads = {
        layer: getattr(step(layer), "reads", None)
        for layer in ("relu", "linear: 5", "linear: 2 + 3", "linear: x", "conv: {channels: y * in.channels, kernel: x}")
    }
    assert list(reads.values()) == [(), (), (), ("x",), ("in", "x", "y")]


@pytest.mark.parametrize(
    ("layer", "codes"),
    [
        ("relu: 3", ["wrong-type"]), ("conv: 3", ["wrong-type"]), ("conv: {channels: 3, kernl: 3}", ["unknown-key"]),
        ("linear: {features: 3, share: a, init: zeros}", ["wrong-attributes"]), ("relu: {share: a}", ["unknown-key"]),
        ("relu: {name: a b, from: [], when: 1 +}", ["bad-name", "wrong-value", "bad-expression"]),
        ("linear: 1 +", ["bad-expression"]),
        ("linear: {features: {a: 1}}", ["wrong-type"]), ("3", ["wrong-type"]), ("[relu]", ["wrong-type"]),
        ("{}", ["wrong-type"]),
        ("{relu: {}, tanh: {}}", ["wrong-type"]), ("rellu", ["unknown-op"]), ("$: {}", ["bad-expression"]),
        ("{1: 2}", ["non-text-key"]),
    ],
)  # fmt: skip
def test_what_is_no_op(layer, codes):
    assert mistakes(layer) == codes


# --- calls ----------------------------------------------------------------------------------------------------------


def test_calls_of_blocks_and_of_computed_names():
    for layer, callee in (("b: 3", "b"), ("$kind: 3", None), ("$(a + 1): 3", None)):
        found = step(layer)
        assert isinstance(found, CallStep)
        assert found.callee.constant == callee
        assert {name: given.value.evaluate({}) for name, given in found.arguments.items()} == {"": 3}
    found = step("b: {x: 3, name: n, share: other, from: a, when: true}")
    assert isinstance(found, CallStep)
    assert list(found.arguments) == ["x"]
    assert found.arguments["x"].key.column == 9, "the position of the key, after two spaces, a dash and `b: {`"
    assert found.share is not None
    assert found.share.constant == "other"


# --- structures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        ("sequential: [relu]", SequentialStep), ("sequential: {layers: [relu]}", SequentialStep),
        ("side: [relu]", SideStep),
        ("residual: [relu]", ResidualStep), ("parallel: {paths: [[relu]]}", ParallelStep),
        ("parallel: {paths: {a: [relu]}}", ParallelStep),
        ("parallel: {over: [1], as: x, layers: [relu]}", ParallelStep),
        ("repeat: {times: 2, layers: [relu]}", RepeatStep),
        ("repeat: {over: [1], index: i, layers: []}", RepeatStep),
    ],
)  # fmt: skip
def test_structures_in_all_their_forms(layer, kind):
    assert isinstance(step(layer), kind)


def test_what_joins_paths_unless_something_else_does():
    residual, parallel = step("residual: []"), step("parallel: {paths: [[]]}")
    assert isinstance(residual, ResidualStep)
    assert isinstance(parallel, ParallelStep)
    assert (residual.join.op.kind, parallel.join.op.kind, residual.crop) == ("add", "concat", False)
    other = step("residual: {layers: [], join: {concat: {axis: 2, name: j}}, align: center_crop}")
    assert isinstance(other, ResidualStep)
    assert (other.join.op.kind, worth(other.join), other.crop) == ("concat", {"axis": 2}, True)


@pytest.mark.parametrize("kind", sorted(kind for kind, op in OP_KINDS.items() if issubclass(op, Join)))
def test_every_join_can_join_paths(kind):
    found = step(f"parallel: {{paths: [[]], join: {kind}}}")
    assert isinstance(found, ParallelStep)
    assert found.join.op.kind == kind


@pytest.mark.parametrize(
    ("layer", "codes"),
    [
        ("repeat", ["missing-key"]), ("repeat: 3", ["wrong-type"]), ("repeat: [relu]", ["wrong-type"]),
        ("repeat: {times: 2}", ["missing-key"]),
        ("repeat: {layers: []}", ["missing-key"]), ("repeat: {times: 1, over: [], layers: []}", ["wrong-value"]),
        ("repeat: {times: 1, as: x, layers: []}", ["unknown-key"]),
        ("repeat: {over: [], as: x, index: x, layers: []}", ["duplicate-name"]),
        ("repeat: {over: [], as: [x, x], layers: []}", ["duplicate-name"]),
        ("repeat: {tmies: 1, layers: []}", ["unknown-key"]),
        ("repeat: {times: 1, layer: []}", ["unknown-key"]), ("parallel: {}", ["missing-key"]),
        ("parallel: {paths: [], over: []}", ["wrong-value"]),
        ("parallel: {paths: 3}", ["wrong-type"]), ("parallel: {paths: {a b: []}}", ["bad-name"]),
        ("residual: {layers: [], join: relu}", ["wrong-value"]),
        ("residual: {layers: [], join: {add: {when: true}}}", ["wrong-value"]),
        ("residual: {layers: [], align: left}", ["wrong-value"]),
        ("side: {layers: [], training_only: yes}", ["wrong-type"]), ("sequential: {layers: relu}", ["wrong-type"]),
        ("sequential: [rellu, conv]", ["unknown-op", "missing-attribute"]),
    ],
)  # fmt: skip
def test_what_is_no_structure(layer, codes):
    assert mistakes(layer) == codes


def test_every_structure_takes_the_common_keys():
    assert all({"name", "from", "when"} <= set(construct.keys) for construct in CONSTRUCTS.values())


# --- broken items ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "name", "kind"),
    [
        ("conv: {name: c, channels: 3}", "c", "conv"), ("conv: {channels: 3}", None, "conv"), ("convv: {name: c}",
        "c", "convv"),
        ("convv", None, "convv"), ("b: {name: c, x: 1 +}", "c", "b"), ("repeat: {name: r, layers: [relu]}",
        "r", None),
        ("repeat: {layers: [relu]}", None, None), ("sequentiall: [relu]", None, None), ("3", None, None),
        ("relu: {name: a b}", None, "relu"),
    ],
)  # fmt: skip
def test_of_a_broken_item_its_name_is_left(layer, name, kind):
    (found,), faults = steps(f"- {layer}")
    assert isinstance(found, BrokenStep)
    assert faults
    assert (found.name and found.name.constant, found.kind if kind else None) == (name, kind)


def test_a_broken_item_leaves_the_others():
    found, faults = steps("[rellu, sequential: [convv, relu], linear: 3]")
    assert faults == ["unknown-op", "unknown-op"]
    assert [type(each) for each in found] == [BrokenStep, SequentialStep, OpStep]
    assert isinstance(found[1], SequentialStep)
    assert [type(each) for each in found[1].layers] == [BrokenStep, OpStep]


def test_an_attribute_of_one_word_may_be_a_keyword():
    found = step("conv: {channels: 3, kernel: 3, padding: same}")
    assert isinstance(found, OpStep)
    assert isinstance(found.attributes["padding"], ConstantField)


def test_every_structure_is_declared_once_and_can_be_built():
    from typing import get_args

    from archspec.frontend.elaborate.constructs import BUILD_FUNCTIONS
    from archspec.ir.graph import ScopeKind

    for keyword, construct in CONSTRUCTS.items():
        assert construct.step.keyword == keyword in get_args(ScopeKind)
        assert construct.step in BUILD_FUNCTIONS
