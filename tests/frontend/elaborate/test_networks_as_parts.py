"""Networks that are parts of others: what their layers see, where they are cut, and which layers are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import archspec
from archspec.diagnostics import ArchspecError, Source
from archspec.loading import check_source, compile_source

HEAD = "archspec: 1\nname: whole\ninput: [3, 32, 32]\n"

PART = """
archspec: 1
name: part
params: {width: 8, twice: 2 * width, act: relu, depth: 2}
variants:
  wide: {width: 16}
  deep: {depth: 4}
default: wide
input: [3, 64, 64]
blocks:
  unit:
    args: [channels]
    layers:
      - conv: {name: conv, channels: channels, kernel: 3, padding: 1}
      - $act: {name: act}
layers:
  - unit: {name: stem, channels: width}
  - parallel:
      name: fork
      join: add
      paths:
        near: [conv: {name: c, channels: twice, kernel: 1}]
        far: [conv: {name: c, channels: twice, kernel: 3, padding: 1}, tanh: {name: t}]
  - repeat:
      name: body
      times: depth
      layers: [unit: {name: u, channels: twice}]
  - side: {name: aux, training_only: true, layers: [global_avg_pool, flatten, linear: {name: fc, features: 5}]}
  - max_pool: 8
  - global_avg_pool
  - flatten
  - linear: {name: logits, features: 10}
outputs: [logits, aux]
init: {conv: {bias: ones}}
rename: {old: stem, gone.*: ~, module: ""}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "part.yaml").write_text(PART, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def whole(layers: str, head: str = "import: part.yaml\n", tail: str = "", **options: object) -> archspec.Network:
    return archspec.parse(f"{HEAD}{head}layers:\n{layers}{tail}", path=["."], **options)


def keys(network: archspec.Network, prefix: str = "p.") -> list[str]:
    return [key.removeprefix(prefix) for key, _ in network.graph.weights() if key.startswith(prefix)]


# --- what it is -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("call", "variant"), [("part", "wide"), ("wide", "wide"), ("deep", "deep")])
def test_a_variant_is_a_block_and_the_name_of_the_spec_is_its_default(call: str, variant: str, folder: Path) -> None:
    alone = archspec.load(f"{folder / 'part.yaml'}:{variant}", input=(3, 32, 32))
    network = whole(f"  - {call}: {{name: p}}\n", tail="outputs: [p.logits, p.aux]\n")
    assert keys(network) == [key for key, _ in alone.graph.weights()]
    assert (network.params, network.macs) == (alone.params, alone.macs)
    x = torch.randn(2, 3, 32, 32)
    state = alone.to_torch().state_dict()
    module = network.to_torch({f"p.{key}": value for key, value in state.items()})
    for mode in (True, False):  # with and without the output for training
        torch.testing.assert_close(module.train(mode)(x), alone.to_torch(state).train(mode)(x))


def test_without_variants_its_name_alone_is_a_block() -> None:
    Path("plain.yaml").write_text(
        f"{HEAD}layers: [conv: {{name: c, channels: 4, kernel: 1}}]\n".replace("whole", "plain")
    )
    assert keys(whole("  - plain: {name: p}\n", "import: plain.yaml\n")) == ["c.weight", "c.bias"]


def test_params_are_arguments_and_those_below_follow_them() -> None:
    network = whole("  - deep: {name: p, width: 3, act: gelu, until: body.0}\n")
    assert network["p.fork"].shape == (6, 32, 32)
    assert {node.op.kind for node in network.graph.nodes} == {"conv", "gelu", "tanh", "add"}


def test_a_name_that_no_layer_can_have_is_changed() -> None:
    Path("v.yaml").write_text(f"{HEAD}layers: [relu]\n".replace("whole", "v-1.5+x"))
    assert list(whole("  - v-1.5+x\n", "import: v.yaml\n").layers) == ["v-1_5_x.relu"]


def test_the_blocks_and_imports_of_the_part_are_its_own() -> None:
    with pytest.raises(ArchspecError, match="no op, block or structure 'unit'"):
        whole("  - wide\n  - unit: 3\n")
    own = "import: part.yaml\nblocks: {unit: {layers: [sigmoid]}}\nparams: {width: 1}\n"
    network = whole("  - wide: {name: p, until: stem}\n  - unit\n  - conv: {channels: width, kernel: 1}\n", own)
    assert [node.op.kind for node in network.graph.nodes] == ["conv", "relu", "sigmoid", "conv"]


def test_the_initializers_of_each_spec_are_for_its_own_layers() -> None:
    network = whole(
        "  - wide: {name: p, until: stem}\n  - conv: {name: own, channels: 2, kernel: 1}\n",
        tail="init: {conv: {weight: zeros}}\n",
    )
    kinds = {key: weight.initializer.kind for key, weight in network.graph.weights()}
    assert kinds["p.stem.conv.bias"] == "ones"
    assert kinds["own.weight"] == "zeros"
    assert kinds["p.stem.conv.weight"] != "zeros"
    assert kinds["own.bias"] != "ones"


def test_names_of_old_checkpoints_have_the_path_of_the_call_in_front() -> None:
    network = whole("  - wide: {name: p, until: stem}\n")
    conv = network.to_torch().state_dict()
    for weight, bias in (("p.old.conv", "p.module.stem.conv"), ("old.conv", "stem.conv")):
        given = {f"{weight}.weight": conv["p.stem.conv.weight"], f"{bias}.bias": conv["p.stem.conv.bias"]}
        assert network.weights_report(given).complete
    assert network.weights_report(conv | {"p.gone.x": torch.zeros(1)}).complete


def test_warnings_that_the_part_allows_are_allowed_inside_it_alone() -> None:
    strided = "conv: {name: c, channels: 4, kernel: 1, stride: 2}"
    for allow, count in (("[]", 2), ("[stride-over-kernel]", 1)):
        text = f"{HEAD}layers: [{strided}, relu]\nallow: {allow}\n".replace("whole", "s")
        Path("s.yaml").write_text(text)
        source = Source("w", f"{HEAD}import: s.yaml\nlayers: [s, {strided}]\n")
        found = check_source(source, path=["."])
        assert [each.code for each in found].count("stride-over-kernel") == count


# --- where it is cut ------------------------------------------------------------------------------------------------

CUTS = ["stem", "stem.conv", "fork", "fork.near", "fork.far", "fork.far.c", "body.0", "body.1.u.conv", "body"]


@pytest.mark.parametrize("until", CUTS)
def test_a_cut_part_returns_what_that_layer_has_in_the_whole_network(until: str) -> None:
    cut = whole(f"  - wide: {{name: p, until: {until}}}\n")
    full = whole("  - wide: {name: p}\n", tail=f"outputs: [p.{until}, p.logits]\n")
    module = full.to_torch().eval()
    state = {key: value for key, value in module.state_dict().items() if key in dict(cut.graph.weights())}
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(cut.to_torch(state).eval()(x), module(x)[0])
    assert not cut.graph.unused


def test_what_comes_after_the_cut_is_not_built() -> None:
    assert whole("  - wide: {name: p, until: body}\n", input=(3, 4, 4)).outputs == {"output": (32, 4, 4)}
    with pytest.raises(ArchspecError, match="kernel-too-large"):
        whole("  - wide: {name: p}\n", input=(3, 4, 4))


def test_an_outer_cut_may_be_inside_a_part_of_the_part() -> None:
    Path("mid.yaml").write_text(
        f"{HEAD}import: part.yaml\nlayers: [deep: {{name: inner, until: body.3}}, relu: {{name: r}}]\n".replace(
            "whole", "mid"
        )
    )
    network = whole("  - mid: {name: m, until: inner.body.1}\n", "import: mid.yaml\n")
    assert [name for name in network._named if name.startswith("m.inner.body.")][-1] == "m.inner.body.1.u.act"
    assert network.outputs == {"output": (16, 32, 32)}


def test_blocks_can_be_cut_and_the_name_can_be_computed() -> None:
    head = "blocks: {b: {layers: [relu: {name: r0}, tanh: {name: r1}, sigmoid: {name: r2}]}}\nparams: {last: 1}\n"
    assert [node.op.kind for node in whole("  - b: {until: r$last}\n", head).graph.nodes] == ["relu", "tanh"]


# --- which layers are kept ------------------------------------------------------------------------------------------


def test_only_layers_that_something_reads_are_kept() -> None:
    network = whole("  - wide: {name: p}\n  - conv: {name: c, from: p.fork.far.c, channels: 1, kernel: 1}\n")
    assert keys(network) == ["stem.conv.weight", "stem.conv.bias", "fork.far.c.weight", "fork.far.c.bias"]
    assert not network.graph.unused


def test_outputs_for_training_are_kept_if_they_are_read() -> None:
    assert not any("aux" in key for key in keys(whole("  - wide: {name: p}\n")))
    read = whole("  - wide: {name: p}\n", tail="outputs: [p, p.aux]\n")
    assert any("aux" in key for key in keys(read))
    assert [output.training_only for output in read.graph.outputs] == [False, True]


def test_the_owner_of_shared_weights_is_kept_with_what_it_reads() -> None:
    Path("share.yaml").write_text(
        f"{HEAD}layers: [relu: {{name: r}}, conv: {{name: a, channels: 3, kernel: 1}}, "
        "conv: {name: b, from: input, share: a}]\n".replace("whole", "other")
    )
    network = whole("  - other: {name: p}\n", "import: share.yaml\n")
    assert list(network.layers) == ["p.r", "p.a", "p.b"]


def test_a_value_whose_size_is_read_is_kept() -> None:
    Path("sized.yaml").write_text(
        """archspec: 1
name: sized
input: [3, 32, 32]
blocks:
  like:
    inputs: [x, other]
    layers: [adaptive_avg_pool: other.spatial]
layers:
  - max_pool: {name: half, kernel: 2}
  - like: {name: l, from: [input, half]}
"""
    )
    network = whole("  - sized: {name: p}\n", "import: sized.yaml\n")
    assert list(network.layers) == ["p.half", "p.l.adaptive_avg_pool"]
    assert len(network.graph.size_reads) == 1


def test_a_part_that_nothing_reads_is_kept_and_there_is_a_warning() -> None:
    source = Source("w", f"{HEAD}import: part.yaml\nlayers: [wide: {{name: p}}, relu: {{from: input}}]\n")
    assert {each.code for each in check_source(source, path=["."])} == {"unused-layer"}
    assert compile_source(source, path=["."]).network["p.logits"].params > 0


def test_one_spec_in_two_parts_may_share_weights() -> None:
    network = whole("  - wide: {name: p}\n  - wide: {name: q, from: input, share: p}\n  - sub: [p, q]\n")
    assert not keys(network, "q.")
    assert not network.to_torch().eval()(torch.randn(1, 3, 32, 32)).any()


def test_several_inputs_come_in_order_or_by_name() -> None:
    Path("two.yaml").write_text(
        "archspec: 1\nname: two\ninputs: {a: [1, 8, 8], b: [1, 8, 8]}\nlayers: [sub: [a, b]]\noutputs: {d: sub}\n"
    )
    for call in ("from: [input, t]", "from: {b: t, a: input}"):
        network = whole(
            f"  - tanh: {{name: t}}\n  - two: {{name: p, {call}}}\n  - abs: {{from: p.d}}\n", "import: two.yaml\n"
        )
        (node,) = (node for node in network.graph.nodes if node.op.kind == "sub")
        assert [value.name for value in node.inputs] == ["input", "t"]


def test_a_cut_part_needs_only_the_inputs_that_are_read_up_to_there() -> None:
    Path("two.yaml").write_text(
        "archspec: 1\nname: two\ninputs: {a: [3, 8, 8], b: [3, 8, 8]}\n"
        "layers: [relu: {name: r, from: a}, sub: [r, b]]\n"
    )
    for call in ("", "from: {a: input}, "):
        network = whole(f"  - two: {{{call}name: p, until: r}}\n", "import: two.yaml\n")
        assert list(network.layers) == ["p.r"]
    with pytest.raises(ArchspecError, match="the call does not pass 'b', which is read here"):
        whole("  - two: {name: p, until: sub}\n", "import: two.yaml\n")
    with pytest.raises(ArchspecError, match="the call does not pass 'a', which is read here"):
        whole("  - two: {name: p, from: {b: input}, until: r}\n", "import: two.yaml\n")
    with pytest.raises(ArchspecError, match="'two' needs 'b'"):
        whole("  - two: {name: p, from: {a: input}}\n", "import: two.yaml\n")


def test_an_output_inside_a_part_of_the_network_has_a_name_without_dots() -> None:
    layers = "[sequential: {name: s, layers: [relu: {name: r}, tanh: {name: t}]}]"
    Path("dots.yaml").write_text(f"{HEAD}layers: {layers}\noutputs: [s.r, s]\n".replace("whole", "dots"))
    network = whole("  - dots: {name: p}\n  - sub: [p.s_r, p.s.r]\n", "import: dots.yaml\n")
    assert list(network.layers) == ["p.s.r", "sub"]


def test_frozen_parts() -> None:
    frozen = whole("  - wide: {name: p, trainable: false}\n")
    assert frozen.trainable_params == 0
    assert whole("  - wide: {name: p}\n", freeze=["p"]).trainable_params == 0


def test_every_target_takes_a_part(tmp_path: Path) -> None:
    network = whole(
        "  - wide: {name: p, width: 4, until: body}\n  - conv: {name: c, from: p.fork.near, channels: 2, kernel: 1}\n"
        "  - concat: [prev, p, p.stem]\n"
    )
    differences = network.to_onnx(tmp_path / "n.onnx", functions=True, dynamic=True, verify=True)
    assert max(each.relative for each in differences) < 1e-4
    assert "class Wide(nn.Module):" in network.source()
    assert 'name="p_fork_far_t"' in network.source("keras")
    network.draw(tmp_path / "n.dot", depth=1)
    assert "wide" in (tmp_path / "n.dot").read_text("utf-8").lower()
    x = torch.randn(2, 3, 20, 24)
    optimized = network.optimized(network.to_torch())
    assert optimized.outputs == network.outputs
    assert network.to_torch().eval()(x).shape == (2, 2 + 8 + 4, 20, 24)


def test_a_part_reads_nothing_of_its_caller() -> None:
    Path("other.yaml").write_text(f"{HEAD}layers: [add: [stem, input]]\n".replace("whole", "other"), "utf-8")
    with pytest.raises(ArchspecError, match="there is no layer 'stem' above"):
        whole("  - relu: {name: stem}\n  - other\n", "import: other.yaml\n")
