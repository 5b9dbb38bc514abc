"""From spec to graph: names, references, structures, blocks, iterations, weights, and layers after an error."""

from __future__ import annotations

from textwrap import dedent

import pytest

import archspec
from tests.frontend.specs import built, compiled, faults, lines, net

# --- names ----------------------------------------------------------------------------------------------------------


def test_layers_without_a_name_are_called_after_their_op():
    assert built("[relu, tanh, relu, relu: {name: r}, relu]") == [
        "relu = relu(input)",
        "tanh = tanh(relu)",
        "relu_1 = relu(tanh)",
        "r = relu(relu_1)",
        "relu_2 = relu(r)",
    ]


def test_a_number_that_is_taken_is_skipped():
    assert built("[relu: {name: relu_1}, relu, relu, relu]") == [
        "relu_1 = relu(input)",
        "relu = relu(relu_1)",
        "relu_2 = relu(relu)",
        "relu_3 = relu(relu_2)",
    ]


def test_skipped_layers_use_no_number():
    assert built("[relu, relu: {when: false}, relu]") == ["relu = relu(input)", "relu_1 = relu(relu)"]


def test_structures_without_a_name_add_nothing_to_paths():
    layers = """
        - sequential: [relu]
        - residual: [tanh]
        - parallel: {join: add, paths: [[relu], [sigmoid]]}
        - side: [softmax]
        - repeat: {times: 2, layers: [relu]}
    """
    assert built(layers) == [
        "relu = relu(input)",
        "tanh = tanh(relu)",
        "add = add(tanh, relu)",
        "relu_1 = relu(add)",
        "sigmoid = sigmoid(add)",
        "add_1 = add(relu_1, sigmoid)",
        "softmax = softmax(add_1)",
        "relu_2 = relu(add_1)",
        "relu_3 = relu(relu_2)",
    ]


def test_structures_with_a_name_add_it_to_paths():
    layers = """
        - sequential: {name: s, layers: [relu, sequential: {name: t, layers: [relu]}]}
        - residual: {name: r, layers: [relu]}
        - parallel: {name: p, join: concat, paths: {left: [relu], right: []}}
        - side: {name: aux, layers: [relu]}
    """
    assert built(layers) == [
        "s.relu = relu(input)",
        "s.t.relu = relu(s.relu)",
        "r.relu = relu(s.t.relu)",
        "r.add = add(r.relu, s.t.relu)",
        "p.left.relu = relu(r.add)",
        "p.concat = concat(p.left.relu, r.add)",
        "aux.relu = relu(p.concat)",
    ]


def test_named_paths_add_their_name_even_if_the_structure_has_none():
    assert built("[parallel: {paths: {a: [relu], b: [relu]}}]") == [
        "a.relu = relu(input)",
        "b.relu = relu(input)",
        "concat = concat(a.relu, b.relu)",
    ]


def test_blocks_are_called_after_themselves():
    assert built("[b, b: {name: mine}, b]", "blocks: {b: {layers: [relu]}}") == [
        "b.relu = relu(input)",
        "mine.relu = relu(b.relu)",
        "b_1.relu = relu(mine.relu)",
    ]


def test_children_can_be_numbered_as_in_nn_sequential():
    head = "blocks: {b: {naming: index, layers: [relu, tanh]}}"
    children = "[relu, tanh: {name: t}, b, relu: {when: false}, relu: {name: 2}, relu]"
    layers = f"[sequential: {{name: s, naming: index, layers: {children}}}]"
    assert built(layers, head) == [
        "s.0 = relu(input)",
        "s.t = tanh(s.0)",
        "s.1.0 = relu(s.t)",
        "s.1.1 = tanh(s.1.0)",
        "s.2 = relu(s.1.1)",
        "s.3 = relu(s.2)",
    ]


def test_numbered_children_need_a_name_around_them():
    assert built("[sequential: {naming: index, layers: [relu]}]") == ["sequential.0 = relu(input)"]


def test_iterations_are_numbered_inside_the_name_of_their_repeat():
    assert built("[repeat: {name: r, times: 2, layers: [relu, tanh: {name: t}]}]") == [
        "r.0.relu = relu(input)",
        "r.0.t = tanh(r.0.relu)",
        "r.1.relu = relu(r.0.t)",
        "r.1.t = tanh(r.1.relu)",
    ]


def test_entries_that_are_lists_need_no_names() -> None:
    lines = built("[repeat: {over: [[1], [2, 3]], index: i, layers: [linear: i + 1]}]")
    assert [line.partition("{")[2] for line in lines] == ["features: 1}", "features: 2}"]


def test_iterations_have_the_name_of_their_repeat_if_it_differs_in_each():
    assert built("[repeat: {name: layer$(i + 1), index: i, times: 2, layers: [relu]}]") == [
        "layer1.relu = relu(input)",
        "layer2.relu = relu(layer1.relu)",
    ]
    assert built("[repeat: {name: w$w, over: [4, 8], as: w, layers: [relu]}]")[1] == "w8.relu = relu(w4.relu)"


def test_a_name_that_differs_only_in_outer_iterations_is_one_name():
    layers = "[repeat: {times: 2, index: i, layers: [repeat: {name: r$i, times: 2, index: j, layers: [relu]}]}]"
    assert [line.split(" = ")[0] for line in built(layers)] == ["r0.0.relu", "r0.1.relu", "r1.0.relu", "r1.1.relu"]


def test_names_may_look_like_numbers_and_truth_values():
    assert (
        built("[relu: {name: 1}, relu: {name: 010}, relu: {name: true}, add: [1, 010, true]]")[-1]
        == "add = add(1, 010, true)"
    )


def test_joins_have_names_too():
    assert built("[residual: {layers: [relu], join: {add: {name: sum}}}, relu: {from: sum}]")[1:] == [
        "sum = add(relu, input)",
        "relu_1 = relu(sum)",
    ]


# --- references -----------------------------------------------------------------------------------------------------


def test_a_layer_may_take_any_value_above_it():
    assert built("[relu: {name: a}, tanh, relu: {from: a}, add: [a, tanh, prev, input], mul: {from: [prev, a]}]")[
        2:
    ] == [
        "relu = relu(a)",
        "add = add(a, tanh, relu, input)",
        "mul = mul(add, a)",
    ]


def test_the_first_layer_has_a_value_before_it():
    assert built("[relu: {from: prev}]") == ["relu = relu(input)"]
    assert built("[parallel: {join: add, paths: [[relu: {from: prev}], []]}]")[0] == "relu = relu(input)"


def test_names_are_looked_up_inside_out():
    layers = """
        - relu: {name: a}
        - sequential:
            name: s
            layers:
              - tanh: {from: a}
              - tanh: {name: a}
              - relu: {from: a}
        - relu: {from: a}
    """
    assert built(layers)[1:] == ["s.tanh = tanh(a)", "s.a = tanh(s.tanh)", "s.relu = relu(s.a)", "relu = relu(a)"]


def test_dots_look_inside():
    layers = """
        - sequential: {name: s, layers: [relu: {name: x}, sequential: {name: t, layers: [tanh: {name: x}, relu]}]}
        - b
        - repeat: {name: r, times: 2, layers: [relu]}
        - add: [s, s.x, s.t, s.t.x, b, b.y, r, r.0, r.1.relu]
    """
    assert built(layers, "blocks: {b: {layers: [relu: {name: y}, tanh]}}")[-1] == (
        "add = add(s.t.relu, s.x, s.t.relu, s.t.x, b.tanh, b.y, r.1.relu, r.0.relu, r.1.relu)"
    )


def test_a_name_can_be_computed():
    layers = "[repeat: {times: 3, index: i, layers: [relu: {name: r$i}, add: {when: i > 0, from: [r$i, r$(i - 1)]}]}]"
    assert built(layers)[-1] == "add_1 = add(r2, r1)"


def test_a_structure_may_take_another_value():
    layers = """
        - relu: {name: a}
        - tanh
        - residual: {from: a, layers: [sigmoid]}
        - b: {from: a}
        - repeat: {from: a, times: 2, layers: [relu]}
    """
    assert built(layers, "blocks: {b: {layers: [tanh]}}")[2:] == [
        "sigmoid = sigmoid(a)",
        "add = add(sigmoid, a)",
        "b.tanh = tanh(a)",
        "relu = relu(a)",
        "relu_1 = relu(relu)",
    ]


def test_a_side_path_leaves_the_main_path_alone():
    assert built("[relu, side: {name: s, layers: [tanh]}, sigmoid]", tail="outputs: [sigmoid, s]") == [
        "relu = relu(input)",
        "s.tanh = tanh(relu)",
        "sigmoid = sigmoid(relu)",
    ]


def test_a_side_path_of_another_value_leaves_the_main_path_alone():
    assert built("[relu: {name: a}, tanh, side: {from: a, name: s, layers: [softmax]}, sigmoid]")[2:] == [
        "s.softmax = softmax(a)",
        "sigmoid = sigmoid(tanh)",
    ]


def test_joins_and_blocks_take_several_inputs():
    head = "inputs: {a: [3, 8], b: [3, 8]}\nblocks: {both: {layers: [sequential: [], concat]}}"
    assert built("[add, both: {from: [a, b]}, both: {from: [prev, a]}]", head, input="") == [
        "add = add(a, b)",
        "both.concat = concat(a, b)",
        "both_1.concat = concat(both.concat, a)",
    ]


@pytest.mark.parametrize(
    "layers", ["[]", "[sequential: [], repeat: {times: 0, layers: [relu]}, b, relu: {when: false}]"]
)
def test_empty_structures_are_the_identity(layers):
    network = net(layers, "blocks: {b: {layers: []}}")
    assert lines(network) == []
    assert network.outputs == {"output": (4, 8, 8)}


def test_an_empty_residual_adds_a_value_to_itself():
    assert built("[residual: []]") == ["add = add(input, input)"]


# --- outputs --------------------------------------------------------------------------------------------------------


def returned(layers: str, tail: str = "", **more: str) -> str:
    return net(layers, tail=tail, **more).text.splitlines()[-1]


def test_the_last_value_is_returned():
    assert returned("[relu, tanh]") == "} -> output = tanh"
    assert returned("[relu, side: [tanh]]") == "} -> output = relu"


def test_several_last_values_are_returned_with_numbers():
    assert returned("[]", head="inputs: {a: [3], b: [3]}", input="") == "} -> output0 = a, output1 = b"


def test_outputs_by_name():
    layers = """
        - relu: {name: a}
        - sequential: {name: s, layers: [tanh: {name: t}]}
        - side: {name: aux, training_only: true, layers: [relu]}
    """
    assert returned(layers, "outputs: s") == "} -> s = s.t"
    assert returned(layers, "outputs: {a: a, t: s.t, x: input}") == "} -> a = a, t = s.t, x = input"
    assert returned(layers, 'params: {n: t, i: 1}\noutputs: ["s.$n", "$(\'a\')"]') == "} -> s.t = s.t, a = a"
    assert returned(layers, 'params: {n: t, i: 1}\noutputs: {"out$i": a, "$n": s.$n}') == "} -> out1 = a, t = s.t"
    assert returned(layers, "outputs: {x: a, y: a, z: aux}") == "} -> x = a, y = a, z = aux.relu (training)"


# --- expressions and conditions -------------------------------------------------------------------------------------


def test_conditions_can_use_the_shape_of_the_input():
    layers = "[linear: in.spatial[-1] // 2, relu: {when: in.shape == [4, 8, 4]}, tanh: {when: in.channels > 4}]"
    assert built(
        layers.replace("in.spatial[-1] // 2", "'in.spatial[-1] // 2'").replace(
            "in.shape == [4, 8, 4]", "'in.shape == [4, 8, 4]'"
        )
    ) == [
        "linear = linear(input) {features: 4}",
        "relu = relu(linear)",
    ]


def test_conditions_see_the_values_before_the_layer():
    """`when` is asked before `from`: it is about the value the item would take the place of."""
    assert built("[linear: 3, relu: {from: input, when: 'in.shape[-1] == 3'}]")[-1] == "relu = relu(input)"


def test_params_and_overrides():
    head = "params: {width: 8, twice: 2 * width, kind: relu, sizes: [1, 2]}"
    layers = "[linear: twice, $kind, linear: sum(sizes) + 1]"
    assert built(layers, head) == [
        "linear = linear(input) {features: 16}",
        "relu = relu(linear)",
        "linear_1 = linear(relu) {features: 4}",
    ]
    assert built(layers, head, width=3, kind="tanh", sizes=[4, 5]) == [
        "linear = linear(input) {features: 6}",
        "tanh = tanh(linear)",
        "linear_1 = linear(tanh) {features: 10}",
    ]


def test_inner_names_hide_outer_ones():
    head = """
        params: {width: 4, i: 9}
        blocks:
          b:
            args: {width: 2, relu: 3}
            layers:
              - linear: width + relu + i
              - repeat: {times: 1, index: width, layers: [linear: width + 1]}
              - linear: width
    """
    layers = """
        - b: {relu: 1}
        - linear: width
        - repeat:
            times: 2
            index: i
            layers:
              - repeat: {times: 1, index: i, layers: [linear: i + 1]}
              - linear: i + 5
    """
    features = [line.partition("features: ")[2].rstrip("}") for line in built(layers, dedent(head))]
    assert features == ["12", "1", "2", "4", "1", "5", "1", "6"]


def test_arithmetic_can_give_whole_numbers():
    assert built("[conv: {channels: 16 / 4, kernel: 3.0, padding: [1.0, 2 ** 0]}]") == [
        "conv = conv(input) {channels: 4, kernel: 3, padding: [1, 1]}"
    ]


def test_nothing_is_a_value():
    head = "params: {stride: ~}"
    assert built("[max_pool: {kernel: 2, stride: stride}, relu: {when: stride == null}]", head) == [
        "max_pool = max_pool(input) {kernel: 2}",
        "relu = relu(max_pool)",
    ]


def test_keywords_are_words_and_words_can_be_passed_on():
    head = "blocks: {b: {args: {padding: same}, layers: [conv: {channels: 4, kernel: 3, padding: padding}]}}"
    assert built("[conv: {channels: 4, kernel: 3, padding: same}, b, b: {padding: valid}, b: {padding: 2}]", head) == [
        "conv = conv(input) {channels: 4, kernel: 3, padding: same}",
        "b.conv = conv(conv) {channels: 4, kernel: 3, padding: same}",
        "b_1.conv = conv(b.conv) {channels: 4, kernel: 3, padding: valid}",
        "b_2.conv = conv(b_1.conv) {channels: 4, kernel: 3, padding: 2}",
    ]


def test_true_is_not_one():
    """Equal in Python, but other ops: one made for `bias: true` must not serve `groups: 1` or the reverse."""
    assert faults("[linear: {features: 1, bias: true}, linear: {features: true, bias: 1}]") == [
        ("wrong-value", "'features' of 'linear' is a whole number of at least 1, not true"),
        ("wrong-value", "'bias' of 'linear' is true or false, not 1"),
    ]


# --- blocks and rounds ----------------------------------------------------------------------------------------------


def test_arguments_and_their_defaults():
    head = """
        params: {w: 3}
        blocks:
          b: {args: {x: w, y: x * 2, z: in.channels, kind: relu}, layers: [linear: x, linear: y, linear: z, $kind]}
          c: {args: {x: ~, y: 2}, layers: [linear: x * y]}
    """
    assert built("[b, b: {x: 5, kind: tanh}, c: 4, c: {y: 1, x: 4}]", dedent(head)) == [
        "b.linear = linear(input) {features: 3}",
        "b.linear_1 = linear(b.linear) {features: 6}",
        "b.linear_2 = linear(b.linear_1) {features: 4}",
        "b.relu = relu(b.linear_2)",
        "b_1.linear = linear(b.relu) {features: 5}",
        "b_1.linear_1 = linear(b_1.linear) {features: 10}",
        "b_1.linear_2 = linear(b_1.linear_1) {features: 4}",
        "b_1.tanh = tanh(b_1.linear_2)",
        "c.linear = linear(b_1.tanh) {features: 8}",
        "c_1.linear = linear(c.linear) {features: 4}",
    ]


def test_blocks_may_call_themselves_while_a_condition_lasts():
    head = "blocks: {b: {args: [d], layers: [relu: {when: d > 0}, b: {d: d - 1, when: d > 0, name: next}]}}"
    assert built("[b: 2]", head) == ["b.relu = relu(input)", "b.next.relu = relu(b.relu)"]


def test_blocks_may_call_blocks_below_them():
    assert built("[a]", "blocks: {a: {layers: [b]}, b: {layers: [relu]}}") == ["a.b.relu = relu(input)"]


def test_ops_and_blocks_can_be_computed():
    head = "params: {act: tanh, size: 3}\nblocks: {mine: {args: [n], layers: [linear: n]}}"
    assert built("[$act, $('linear'): size, $('mi' if size == 3 else '')ne: {n: 5}, $act: {name: last}]", head) == [
        "tanh = tanh(input)",
        "linear = linear(tanh) {features: 3}",
        "mine.linear = linear(linear) {features: 5}",
        "last = tanh(mine.linear)",
    ]


def test_iterations_over_a_list_unpack_its_entries():
    head = "params: {rows: [[3, 1], [4, 2]]}"
    layers = "[repeat: {over: rows, as: [w, n], index: i, layers: [repeat: {times: n, layers: [linear: w + i]}]}]"
    assert [line.partition("{")[2] for line in built(layers, head)] == ["features: 3}", "features: 5}", "features: 5}"]


def test_an_entry_may_be_a_list():
    assert built("[repeat: {over: [[3, 3], [1, 1]], as: k, layers: [max_pool: {kernel: k, stride: 1}]}]") == [
        "max_pool = max_pool(input) {kernel: [3, 3], stride: 1}",
        "max_pool_1 = max_pool(max_pool) {kernel: [1, 1], stride: 1}",
    ]


def test_the_paths_of_a_join_can_be_iterations():
    assert built(
        "[parallel: {join: add, over: [1, 3, 5], as: k, layers: [max_pool: {kernel: k, stride: 1, padding: same}]}]"
    )[-1] == ("add = add(max_pool, max_pool_1, max_pool_2)")


def test_times_can_use_the_shape_of_the_input():
    assert len(built("[repeat: {times: in.channels, layers: [relu]}]")) == 4


def test_paths_can_be_cropped_to_the_smallest():
    layers = """
        - parallel:
            join: add
            align: center_crop
            paths: [[conv: {channels: 4, kernel: 3}], [conv: {channels: 4, kernel: [5, 1]}], []]
    """
    assert built(layers)[2:] == [
        "center_crop = center_crop(conv) {size: [4, 6]}",
        "center_crop_1 = center_crop(conv_1) {size: [4, 6]}",
        "center_crop_2 = center_crop(input) {size: [4, 6]}",
        "add = add(center_crop, center_crop_1, center_crop_2)",
    ]


# --- weights --------------------------------------------------------------------------------------------------------


def weights(layers: str, head: str = "", **params: object) -> dict[str, tuple[str, dict[str, object], bool]]:
    """The initializer of each weight, and whether it is trainable."""
    graph = net(layers, head, **params).graph
    return {
        name: (weight.initializer.kind, dict(weight.initializer.options), weight.trainable)
        for name, weight in graph.weights()
        if not weight.buffer
    }


def test_initializers_of_a_layer():
    found = weights(
        "[linear: {features: 2, init: zeros}, linear: {features: 2, init: {weight: {normal: {std: 0.1}}, bias: 0.5}}]"
    )
    assert found["linear.weight"] == ("zeros", {}, True)
    assert found["linear.bias"][0] == "uniform", "PyTorch's default stays"
    assert found["linear_1.weight"] == ("normal", {"mean": 0.0, "std": 0.1}, True)
    assert found["linear_1.bias"] == ("constant", {"value": 0.5}, True)


def test_initializers_of_the_spec_and_of_a_layer_before_them():
    head = """
        params: {width: 8}
        init: {linear: {bias: zeros, weight: {normal: {std: 2 / width}}}, conv: {kaiming_normal: {mode: fan_out}}}
    """
    found = weights("[linear: 3, linear: {features: 3, init: ones}, conv: {channels: 2, kernel: 1}]", head, width=4)
    assert found["linear.weight"] == ("normal", {"mean": 0.0, "std": 0.5}, True)
    assert found["linear.bias"] == ("zeros", {}, True)
    assert found["linear_1.weight"] == ("ones", {}, True)
    assert found["linear_1.bias"] == ("zeros", {}, True)
    assert found["conv.weight"] == ("kaiming_normal", {"mode": "fan_out", "nonlinearity": "relu"}, True)


def test_an_initializer_can_use_the_shape_of_the_input():
    init = "{xavier_normal: {gain: gain / in.channels}}"
    head = f"blocks: {{b: {{args: [gain], layers: [linear: {{features: 2, init: {init}}}]}}}}"
    assert weights("[b: 2]", head)["b.linear.weight"] == ("xavier_normal", {"gain": 0.5}, True)


def test_fixed_weights_are_not_trainable():
    found = weights("[conv: {channels: 1, kernel: [1, 2], bias: false, weight: [1, -1]}]")
    assert found == {"conv.weight": ("values", {"values": (1, -1)}, False)}


def test_layers_can_be_frozen():
    found = weights(
        "[linear: {features: 2, trainable: width > 9}, linear: {features: 2, trainable: width < 9}]",
        "params: {width: 8}",
    )
    assert [learns for _, _, learns in found.values()] == [False, False, True, True]


def test_layers_share_weights_with_the_first_that_had_them():
    layers = (
        "[linear: {name: a, features: 8}, linear: {name: b, features: 8, share: a}, linear: {features: 8, share: b}]"
    )
    assert built(layers)[1:] == ["b = linear(a) {features: 8} with a", "linear = linear(b) {features: 8} with a"]
    assert net(layers).params == 8 * 8 + 8


@pytest.mark.parametrize(
    ("attributes", "written"),
    [
        ("", {"channels": 4, "kernel": 3, "padding": 1}),
        (", dilation: 2", {"channels": 4, "kernel": 3, "padding": 1, "dilation": 2}),
        (", padding: 0", {"channels": 4, "kernel": 3}),
    ],
)
def test_a_layer_that_shares_weights_has_the_attributes_of_their_owner(attributes, written):
    layers = f"[conv: {{name: a, channels: 4, kernel: 3, padding: 1}}, $op: {{share: a{attributes}}}]"
    for op in ("conv", "$kind"):
        text = f"archspec: 1\nname: n\nparams: {{kind: conv}}\ninput: [4, 8, 8]\nlayers: {layers.replace('$op', op)}"
        _, node = archspec.parse(text).graph.nodes
        assert node.op.explicit_attributes() == written


def test_blocks_share_all_their_weights():
    head = """
        blocks:
          b: {args: {n: 8}, layers: [linear: {name: f, features: n}, sequential: {name: s, layers: [batch_norm]}, c]}
          c: {layers: [linear: 8]}
    """
    layers = "[b: {name: x}, b: {name: y, share: x}, b: {name: z, share: y}, linear: {features: 8, share: z.f}]"
    shared = [line.partition(" with ")[2] for line in built(layers, head)]
    assert shared == ["", "", "", *["x.f", "x.s.batch_norm", "x.c.linear"] * 2, "x.f"]


def test_a_call_that_shares_weights_has_the_arguments_of_the_call_that_owns_them():
    head = """blocks:
  unit:
    args: {width: ~, kernel: 3, stride: 1}
    layers: [conv: {channels: width, kernel: kernel, stride: stride, padding: 1}]
  pair: {args: {width: ~}, layers: [unit: {name: one, width: width, stride: 2}, unit: {name: two, share: one}]}
"""
    layers = """[unit: {name: a, width: 4, kernel: 5}, unit: {share: a}, unit: {share: a, stride: 2},
        pair: {name: p, width: 4}, pair: {share: p}]"""
    units = built(layers, head)
    assert ["stride: 2" in line for line in units] == [False, False, True, True, True, True, True]
    assert ["kernel: 5" in line for line in units] == [True, True, True, False, False, False, False]
    shared = [line.partition(" with ")[2] for line in units]
    assert shared == ["", *["a.conv"] * 2, "", *["p.one.conv"] * 3]


def test_a_shared_block_may_call_itself():
    head = "blocks: {b: {args: [d], layers: [linear: 8, b: {name: inner, d: d - 1, when: d > 0}]}}"
    shared = [line.partition(" with ")[2] for line in built("[b: {name: x, d: 1}, b: {name: y, d: 1, share: x}]", head)]
    assert shared == ["", "", "x.linear", "x.inner.linear"]


def test_iterations_can_share_weights_with_the_first():
    layers = "[linear: {name: first, features: 8}, repeat: {times: 2, layers: [linear: {features: 8, share: first}]}]"
    assert net(layers).params == 8 * 8 + 8


# --- what a mistake leaves unknown ----------------------------------------------------------------------------------


def test_layers_that_depend_on_an_error_are_skipped_and_the_others_built():
    layers = """
        - conv: {name: bad, channels: 4, kernel: 9}
        - relu
        - tanh: {from: input}
        - add: [bad, tanh]
        - sigmoid: {from: tanh}
    """
    found = compiled(layers)
    assert [each.code for each in found.errors] == ["kernel-too-large"]
    assert found.network is not None
    assert lines(found.network) == ["tanh = tanh(input)", "sigmoid = sigmoid(tanh)"]
    assert found.network.outputs == {"output": (4, 8, 8)}


@pytest.mark.parametrize(
    "layers",
    [
        "[conv: {name: bad, channels: 0, kernel: 3}, relu: {from: bad}]",
        "[conv: {channels: 0, kernel: 3}, relu: {from: conv}]",
        "[convv: {name: bad}, relu: {from: bad}]",
        "[linear: 0, relu: {when: in.channels > 3, name: maybe}, tanh: {from: maybe}]",
        "[relu: {when: 3, name: bad}, tanh: {from: bad}]",
        "[sequential: {name: s, when: 3, layers: [relu: {name: r}]}, tanh: {from: s.r}]",
        "[sequential: {when: 3, layers: [relu: {name: r}]}, tanh: {from: r}]",
        "[repeat: {times: -1, layers: [relu: {name: r}]}, tanh: {from: r}]",
        "[repeat: {times: -1, index: i, name: r$i, layers: [relu]}, tanh: {from: r0}]",
        "[repeat: {tmies: 1, layers: [relu: {name: r}]}, tanh: {from: r}]",
        "[b: {x: 1}, relu: {from: b}, tanh: {from: b.inner}]",
        "[linear: {name: bad, features: 0}, linear: {features: 8, share: bad, from: input}]",
        "[relu: {name: bad, from: nowhere}, tanh: {from: bad}, add: [bad, input]]",
        "[residual: [conv: {channels: 3, kernel: 3}], relu: {from: add}, tanh]",
        "[parallel: {paths: [[linear: 0], []]}, relu: {from: concat}]",
        "[linear: lost + 1, repeat: {times: lost, layers: [linear: lost]}, relu: {name: $lost}]",
        "[broken: 3, relu]",
        "[endless, relu]",
        "[relu: {name: $(1 > 0)}, tanh]",
        "[relu: {name: a b}, tanh]",
    ],
)  # fmt: skip
def test_an_error_is_reported_once(layers):
    head = """
        params: {lost: 1 / 0}
        blocks:
          b: {layers: [relu: {name: inner}]}
          broken: {args: [x], layers: [linear: x], more: 1}
          endless: {layers: [endless]}
    """
    own = {("bad-expression", "1 / 0 divides by zero"), ("unknown-key", "the block 'broken' has no key 'more'"),
           ("endless-recursion", "'endless' calls itself, with no `when` to end the recursion")}  # fmt: skip
    found = faults(layers, dedent(head))
    assert own <= set(found)
    silent = any(word in layers for word in ("lost", "broken", "endless"))
    assert len(found) == len(own) + (0 if silent else 1), found


def test_errors_in_blocks_and_iterations_are_reported_once():
    head = "blocks: {b: {args: [k], layers: [conv: {channels: 4, kernel: k}]}}"
    assert (
        len(
            faults(
                "[b: 9, b: 10, b: 11, repeat: {times: 3, layers: [conv: {channels: 0, kernel: 1, from: input}]}]", head
            )
        )
        == 2
    )


def test_names_may_have_hyphens():
    layers = "[relu: {name: c-1}, sequential: {name: s-$(1 + 1), layers: [relu: {name: a-b}]}, add: [c-1, s-2.a-b]]"
    assert built(layers)[-1] == "add = add(c-1, s-2.a-b)"
