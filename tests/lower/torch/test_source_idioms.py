"""Idioms the source uses where a network allows them: what a careful person would have written instead of a list."""

from __future__ import annotations

import copy
import re

import pytest
import torch

import archspec
from tests.lower.torch.test_module_portability import compiled, scripted, through_pickle

HEAD = "archspec: 1\nname: net\ninput: [4, 8, 8]\n"


def source(body: str, head: str = HEAD) -> str:
    return archspec.parse(head + body).source()


UNITS = """
blocks:
  unit:
    args: [width]
    layers: [{join}, relu]
layers:
  - sequential:
      name: stage
      layers:
        - repeat: {{over: {widths}, as: width, index: i, layers: [unit: {{name: {name}, width: width}}]}}
"""
DENSE = "parallel: {paths: [[], [conv: {channels: width, kernel: 3, padding: 1}]]}"
PLAIN = "conv: {channels: width, kernel: 1}"


def test_numbered_blocks_with_evenly_growing_arguments_are_a_loop():
    text = source(UNITS.format(join=DENSE, widths="[2, 2, 2]", name="unit$(i + 1)"))
    assert 'OrderedDict((f"unit{i + 1}", Unit(4 + 2 * i)) for i in range(3))' in text
    assert "self.stage(x)" in text
    assert source(UNITS.format(join=DENSE, widths="[2, 2, 2]", name="unit$i")).count('f"unit{i}"') == 1


def test_other_numbered_blocks_are_listed_by_name():
    text = source(UNITS.format(join=PLAIN, widths="[2, 8, 2]", name="unit$i"))
    assert "OrderedDict(unit0=Unit(4,2),unit1=Unit(2,8),unit2=Unit(8,2),)" in re.sub(r"\s", "", text)


def test_blocks_with_gaps_in_their_numbers_are_a_class():
    assert "class Stage(nn.Module)" in source(UNITS.format(join=PLAIN, widths="[2, 2, 2]", name="unit$(2 * i)"))


@pytest.mark.parametrize(("name", "of_class"), [("blocks", "Block"), ("bass", "Bass"), ("body", "Body")])
def test_numbered_iterations_share_a_class_named_after_their_parent(name, of_class):
    inside = "[residual: [conv: {channels: 4, kernel: 3, padding: 1}, relu]]"
    text = source(f"layers: [repeat: {{name: {name}, times: 3, layers: {inside}}}]")
    assert text.count("(nn.Module)") == 2
    assert f"class {of_class}(nn.Module):" in text
    assert f"*({of_class}() for _ in range(3))" in text


def test_numbered_children_keep_the_names_of_the_spec():
    model = archspec.parse(HEAD + UNITS.format(join=DENSE, widths="[2, 2, 2]", name="unit$(i + 1)")).to_torch()
    assert [name for name, _ in model.stage.named_children()] == ["unit1", "unit2", "unit3"]


def test_concatenated_children_are_called_inside_the_concatenation():
    paths = "[[conv: {name: a, channels: 2, kernel: 1}], [conv: {name: b, channels: 2, kernel: 3, padding: 1}]]"
    assert "return torch.cat([self.a(x), self.b(x)], dim=1)" in source(f"layers: [parallel: {{paths: {paths}}}]")
    twice = f"layers: [parallel: {{paths: {paths}}}, concat: [b, prev]]"
    assert "torch.cat([self.a(x)" not in source(twice), "b is read again"


def test_nested_paths_keep_the_variable_of_their_path():
    inner = "parallel: {paths: [[conv: {channels: 2, kernel: 1}, relu], [conv: {channels: 3, kernel: 1}, tanh]]}"
    text = source(f"layers: [parallel: {{paths: [[tanh], [sigmoid, {inner}, relu]]}}]")
    assert [line.split()[0] for line in text[text.index("def forward") :].splitlines()[1:6]] == [
        "y1", "y2", "y2_1", "y2_2", "y2"
    ]  # fmt: skip


def test_padding_that_keeps_sizes_is_half_of_the_kernel():
    body = """
blocks:
  unit: {args: [kernel], layers: [conv: {channels: 4, kernel: kernel, padding: kernel // 2}, relu]}
layers: [unit: 1, unit: 3, unit: 5]
"""
    assert "nn.Conv2d(4, 4, kernel, padding=kernel // 2)" in source(body)


def test_the_variable_of_a_side_with_one_layer_is_named_after_it():
    body = "layers: [relu: {name: a}, side: [linear: {name: head, features: 3}], tanh]\noutputs: [tanh, head]"
    text = source(body, head="archspec: 1\nname: net\ninput: [4]\n")
    assert "head = self.head(x)" in text


def test_an_int_and_a_float_are_not_one_parameter():
    """A stride of 2.0 is none."""
    body = """
blocks:
  unit:
    args: [slope, stride]
    layers: [leaky_relu: slope, conv: {channels: 4, kernel: 1, stride: stride}]
layers: [unit: {slope: 1.0, stride: 1}, unit: {slope: 2.0, stride: 2}]
"""
    net = archspec.parse(HEAD + body)
    assert "self.unit_1 = Unit(2, 2.0)" in net.source()
    assert [model.conv.stride for model in net.to_torch().children()] == [(1, 1), (2, 2)]


def test_an_integer_in_the_spec_becomes_a_float_probability():
    body = "blocks: {unit: {args: [p], layers: [dropout: p]}}\nlayers: [unit: 0, unit: 0.5]"
    text = source(body)
    assert "Unit(0.0)" in text
    assert "p: float" in text


UNIT = """
blocks:
  unit:
    args: {shortcut: true, drop: 0}
    layers:
      - residual: {when: shortcut, layers: &path [conv: {name: conv, channels: 4, kernel: 1}]}
      - sequential: {when: not shortcut, layers: *path}
      - dropout: {when: drop > 0, p: drop}
      - sigmoid
"""


def test_instances_with_and_without_a_shortcut_share_a_class():
    text = source(UNIT + "layers: [unit, unit, unit: {shortcut: false}]")
    assert text.count("class Unit") == 1
    assert "def __init__(self, shortcut: bool = True)" in text
    assert "x = y + x if self.shortcut else y\n        return torch.sigmoid(x)" in text


def test_steps_that_an_instance_lacks_are_skipped():
    body = "layers: [unit: {name: a}, unit: {name: b}, unit: {name: c, shortcut: false}]"
    model = archspec.parse(HEAD + UNIT + body).to_torch()
    x = torch.randn(2, 4, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(model.a(x), torch.sigmoid(model.a.conv(x) + x))
        torch.testing.assert_close(model.c(x), torch.sigmoid(model.c.conv(x)))


def test_instances_without_dropout_have_probability_zero():
    text = source(UNIT + "layers: [unit, unit, unit: {drop: 0.5}]")
    assert text.count("class Unit") == 1
    assert "drop: float = 0.0" in text
    assert "self.drop, self.training)" in text


@pytest.mark.parametrize(
    "other", ["tanh", "sequential: [sigmoid, sigmoid]", "parallel: {join: add, paths: [[], [], [tanh]]}"]
)
def test_modules_that_compute_something_else_have_another_class(other: str):
    first = "blocks: {unit: {args: [one], layers: [conv: {name: conv, channels: 4, kernel: 1}, sigmoid: {when: one}, "
    text = source(first + "sequential: {when: not one, layers: [" + other + "]}]}}\nlayers: [unit: true, unit: false]")
    assert "class Unit2(nn.Module)" in text


def test_an_underscore_separates_the_number_from_a_class_name_that_ends_with_a_digit():
    layers = "[relu: {when: act}, conv: {name: conv, channels: 4, kernel: 1}]"
    blocks = "blocks: {block8: {args: [act], layers: " + layers + "}}\n"
    text = source(blocks + "layers: [block8: true, block8: false]")
    assert "class Block8(" in text
    assert "class Block8_2(" in text


HEADS = """
blocks:
  heads:
    layers:
      - conv: {{name: {}, channels: 4, kernel: 1}}
      - residual: [conv: {{name: {}, channels: 4, kernel: 1}}]
      - conv: {{name: {}, channels: {width}, kernel: 1}}
layers: [heads: {{name: heads}}]
"""


@pytest.mark.parametrize(
    ("names", "width", "made", "called"),
    [
        ("012", 4, "[nn.Conv2d(4, 4, 1) for _ in range(3)]", "self[2](x)"),
        ("012", 5, "[ nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 5, 1), ]", "self[2](x)"),
        (("0", "3a", "3b"), 4, '{ "0": nn.Conv2d(4, 4, 1), "3a": nn.Conv2d(4, 4, 1), "3b": nn.Conv2d(4, 4, 1), }',
         'self["3b"](x)'),
    ],
    ids=["loop", "list", "dictionary"],
)  # fmt: skip
def test_children_whose_names_are_not_identifiers_are_in_a_container(names, width, made, called):
    net = archspec.parse(HEAD + HEADS.format(*names, width=width))
    text = " ".join(net.source().split())
    assert f"class Heads(nn.Module{'List' if made[0] == '[' else 'Dict'}):" in text
    assert f"super().__init__({made})" in text.replace("( ", "(").replace(" )", ")")
    assert called in text
    module, x = net.to_torch().eval(), torch.randn(2, 4, 8, 8)
    assert list(module.state_dict()) == [key for key, _ in net.graph.weights()]
    for way in (scripted, compiled, through_pickle, copy.deepcopy, exported):
        torch.testing.assert_close(way(module)(x), module(x))


def exported(module):
    return torch.export.export(module, (torch.zeros(2, 4, 8, 8),)).module()


NUMBERED = """
layers:
  - conv: {name: stem, channels: 4, kernel: 1}
  - max_pool: {name: pool, kernel: 2}
  - sequential:
      name: heads
      layers:
        - conv: {name: 0, from: stem, channels: 2, kernel: 1}
        - conv: {name: 1, from: pool, channels: %s, kernel: 1}
        - conv: {name: 2, from: pool, channels: 2, kernel: 1}
  - concat: [heads.1, heads.2]
outputs: [heads.0, concat]
"""


def test_numbered_scopes_without_a_block_that_are_no_sequence_are_a_list():
    text = source(NUMBERED % 3)
    listed = "self.heads=nn.ModuleList([nn.Conv2d(4,2,1),nn.Conv2d(4,3,1),nn.Conv2d(4,2,1),]"
    assert listed in re.sub(r"\s", "", text)
    assert "class Heads" not in text
    assert re.search(r"torch.cat\(\[self.heads\[1\]\((\w+)\), self.heads\[2\]\(\1\)\], dim=1\)", text)


def test_equal_items_of_a_list_are_a_comprehension():
    assert "self.heads = nn.ModuleList([nn.Conv2d(4, 2, 1) for _ in range(3)])" in source(NUMBERED % 2)


def test_a_list_keeps_the_names_of_weights_and_computes_the_same():
    model = archspec.parse(HEAD + NUMBERED % 3).to_torch()
    keys = {key for key in model.state_dict() if key.startswith("heads")}
    assert keys == {f"heads.{i}.{weight}" for i in range(3) for weight in ("weight", "bias")}
    x = torch.randn(2, 4, 8, 8)
    with torch.no_grad():
        stem = model.stem(x)
        half = torch.nn.functional.max_pool2d(stem, 2)
        first, joined = model(x)
        torch.testing.assert_close(first, model.heads[0](stem))
        torch.testing.assert_close(joined, torch.cat([model.heads[1](half), model.heads[2](half)], dim=1))


RETURNED = """
layers:
  - sequential:
      name: body
      layers:
        - conv: {name: a, channels: 4, kernel: 1}
        - conv: {name: b, channels: 4, kernel: 1}
  - sequential:
      name: head
      layers:
        - conv: {name: c, channels: 4, kernel: 1}
        - conv: {name: d, from: body.a, channels: 4, kernel: 1}
  - add: {from: [head.c, head.d, body.b]}
"""


def test_outputs_of_a_module_are_numbered():
    text = source(RETURNED)
    assert "x1, x2 = self.body(x)" in text
    assert "x1, x3 = self.head(x2, x1)" in text
    assert "return x1 + x3 + x2" in text


def test_a_sequence_is_called_in_slices_or_by_index():
    layers = "sequential: {name: f, naming: index, layers: [conv: {channels: 4, kernel: 3}, batch_norm, relu, tanh]}"
    head = f"archspec: 1\nname: net\ninput: [4, 8, 8]\nlayers: [{layers}]\n"
    text = archspec.parse(f"{head}outputs: [f.0, f.3]").source()
    assert "self.f[0](x)" in text
    assert "self.f[1:](" in text
    module = archspec.parse(f"{head}outputs: [f.0, f.1, f.2, f.3]").to_torch().eval()
    x = torch.randn(2, 4, 8, 8)
    for got, expected in zip(scripted(module)(x), module(x), strict=True):
        torch.testing.assert_close(got, expected)


@pytest.mark.parametrize(("slope", "overwrites"), [(0.2, True), (0, True), (-0.5, False)])
def test_an_activation_is_inplace_only_if_its_gradient_follows_from_its_output(slope, overwrites):
    layers = f"[conv: {{channels: 4, kernel: 3}}, leaky_relu: {slope}]"
    net = archspec.parse(f"archspec: 1\nname: net\ninput: [4, 8, 8]\nlayers: {layers}\n")
    assert ("inplace=True" in net.source()) == overwrites
    net.to_torch()(torch.randn(2, 4, 8, 8)).sum().backward()


@pytest.mark.parametrize("name", ["self", "F", "torch", "nn", "Tensor"])
def test_inputs_do_not_shadow_names_of_the_source(name):
    layers = f"[concat: [{name}, other], softsign, flatten]"
    net = archspec.parse(f"archspec: 1\nname: net\ninputs: {{{name}: [6, 4], other: [6, 4]}}\nlayers: {layers}\n")
    assert net.to_torch()(torch.randn(2, 6, 4), torch.randn(2, 6, 4)).shape == (2, 48)


@pytest.mark.parametrize("join", ["add", "mul", "mean", "max", "concat"])
def test_an_activation_after_a_join_of_one_value_overwrites_nothing(join: str) -> None:
    """Such a join returns its input, which a later layer reads."""
    layers = f"[linear: {{name: a, features: 3}}, {join}: {{from: [a]}}, relu, concat: {{from: [relu, a]}}]"
    net = archspec.parse(f"archspec: 1\nname: n\ninput: [4]\nlayers: {layers}\n")
    assert "inplace=True" not in net.source()
