"""Reports on weights: wrappers of checkpoints, renamed weights, and loading with `strict=False`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given as examples
from hypothesis import strategies as st
from torch import nn

from archspec.cli.values import renames
from archspec.diagnostics import ArchspecError, Source
from archspec.frontend.language.spec import Rename
from archspec.loading import load, parse
from archspec.lower.weights import examined, initial, loaded, to_file
from archspec.lower.weights.rename_proposals import proposals
from archspec.lower.weights.state_dict import PREFIXES, WRAPPERS, named
from archspec.network import Network
from tests.lower.weights.graphs import TEXT, code

RENAMED = f"""{TEXT}
rename:
  first: c1
  body.*.conv: "*"
"""


@pytest.fixture
def net() -> Network:
    return parse(TEXT)


@pytest.fixture
def weights(net: Network) -> dict[str, np.ndarray]:
    return dict(initial(net.graph))


def rule(old: str, new: str) -> Rename:
    return Rename(Source("spec", "").at(0), tuple(old.split(".")), tuple(new.split(".")))


# --- the report -----------------------------------------------------------------------------------------------------


def test_everything_fits(net: Network, weights: dict[str, np.ndarray]) -> None:
    report = net.weights_report(weights)
    assert report.complete
    assert set(report.matched) == {key for key, _ in net.graph.weights()}
    assert report.text() == f"the given weights fit 'net': {len(weights)} matched"


def test_every_kind_of_mismatch_is_reported_in_full(net: Network, weights: dict[str, np.ndarray]) -> None:
    del weights["c1.weight"], weights["bn.num_batches_tracked"]
    weights |= {f"extra{i}": np.zeros((2, i), np.float16) for i in range(6)}
    weights["fc.bias"] = np.zeros(7, np.float32)
    weights["c1.bias"] = np.zeros(4, np.int64)
    report = net.weights_report(weights)
    assert not report.complete
    assert report.text().splitlines() == [
        "the given weights do not fit 'net': 1 missing, 6 unexpected, 1 wrong shape, 1 wrong dtype, 7 matched",
        "missing:      c1.weight  [4, 3, 3, 3]",
        "unexpected:   extra0     [2, 0] float16",
        *(f"              extra{i}     [2, {i}] float16" for i in range(1, 6)),
        "wrong shape:  fc.bias    [5]  got [7]",
        "wrong dtype:  c1.bias    [4]  got [4] int64",
        "help: use strict=False or --no-strict to load what fits; unmatched weights keep their initial values",
    ]
    assert report.counters == ("bn.num_batches_tracked",)
    found = json.loads(json.dumps(report.as_json()))
    assert found["wrong_shape"] == [
        {"name": "fc.bias", "wanted": {"shape": [5], "dtype": "float32"}, "got": {"shape": [7], "dtype": "float32"}}
    ]
    assert found["missing"] == [{"name": "c1.weight", "shape": [4, 3, 3, 3], "dtype": "float32"}]
    assert len(found["unexpected"]) == 6


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_another_precision_fits(net: Network, weights: dict[str, np.ndarray], dtype: type) -> None:
    weights["fc.bias"] = weights["fc.bias"].astype(dtype)
    assert net.weights_report(weights).complete


def test_names_in_a_file_cannot_steer_a_terminal(net: Network, weights: dict[str, np.ndarray]) -> None:
    assert "\x1b" not in net.weights_report({**weights, "\x1b[2J": np.zeros(1)}).text()


def test_a_report_reads_only_the_header_of_safetensors(
    net: Network, weights: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_file(weights, tmp_path / "w.safetensors")
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("its numbers were read"))
    assert net.weights_report(tmp_path / "w.safetensors").complete


# --- files of torch.save --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "pickle"])
@pytest.mark.parametrize("ending", ["pth", "bin", "safetensors"], ids=str)
def test_torch_files_load_whatever_their_suffix(net: Network, tmp_path: Path, ending: str, zipped: bool) -> None:
    module = net.to_torch()
    path = tmp_path / f"w.{ending}"
    torch.save(module.state_dict(), path, _use_new_zipfile_serialization=zipped)
    assert net.weights_report(path).complete
    copied = net.to_torch(path)
    for key, tensor in module.state_dict().items():
        assert torch.equal(copied.state_dict()[key], tensor)


@pytest.mark.parametrize("wrapper", [*WRAPPERS, "net", "params_ema"])
def test_a_checkpoint_of_a_training_script(net: Network, tmp_path: Path, wrapper: str) -> None:
    path = tmp_path / "checkpoint.pth"
    held = {f"module.{key}": tensor for key, tensor in net.to_torch().state_dict().items()}
    torch.save({"epoch": 3, wrapper: held, "optimizer": {"lr": 0.1, "state": {0: {"step": torch.ones(1)}}}}, path)
    report = net.weights_report(path)
    assert report.complete
    assert report.stripped == (f"everything except '{wrapper}'", "the prefix 'module.' of every name")
    assert report.text().splitlines() == [
        f"{path} is a file of torch.save with {len(held)} tensors",
        f"the weights in {path} fit 'net': {len(held)} matched",
        f"stripped:  everything except '{wrapper}'",
        "           the prefix 'module.' of every name",
    ]
    net.to_torch(path)


def prefixed(prefix: str, state: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}{key}": tensor for key, tensor in state.items()}


WRAPPED: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "generator, discriminator": lambda state: {"generator": state, "discriminator": {"d.weight": torch.ones(2)}},
    "n_averaged": lambda state: {**prefixed("module.", state), "n_averaged": torch.tensor(3)},
    "lightning": lambda state: {
        "state_dict": {**prefixed("model.", state), "criterion.weight": torch.ones(3)}, "hyper_parameters": {"lr": 1},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2)}}}],
    },
    "compiled": lambda state: prefixed("model._orig_mod.", state),
    "twice": lambda state: prefixed("module.module.", state),
    "any prefix": lambda state: {"epoch": 3, "weights": {**prefixed("backbone.0.", state), "head.w": torch.ones(1)}},
    "counted by thop": lambda state: {**state, "total_ops": torch.ones(1), "c1.total_params": torch.ones(1)},
    "deep": lambda state: {"checkpoint": {"model": {"net": state}}, "optimizer": {"state": {0: {"m": torch.ones(2)}}}},
    "two, of which one fits": lambda state: {"model": {"a.weight": torch.ones(2)}, "ema": prefixed("module.", state)},
}  # fmt: skip
"""What training scripts and tools put around a state dict."""


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_what_is_around_the_weights_is_taken_off(net: Network, tmp_path: Path, wrap: Any) -> None:
    module = net.to_torch()
    torch.save(wrap(module.state_dict()), tmp_path / "w.pth")
    for given in (tmp_path / "w.pth", wrap(module.state_dict())):
        report = net.weights_report(given)
        assert report.complete
        assert report.stripped or report.foreign
        assert torch.equal(net.to_torch(given).fc.weight, module.fc.weight)
    assert "left out:  n_averaged" in net.weights_report(WRAPPED["n_averaged"](module.state_dict())).text()
    assert net.weights_report(WRAPPED["lightning"](module.state_dict())).foreign == ("criterion.weight",)


SEVERAL: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]] = {
    "params_ema": lambda one, other: {"params": one, "params_ema": other},
    "module.encoder_k": lambda one, other: {
        "state_dict": {**prefixed("module.encoder_q.", one), **prefixed("module.encoder_k.", other)}
    },
    "teacher": lambda one, other: {"student": prefixed("module.", one), "teacher": prefixed("backbone.", other)},
    "a.ema": lambda one, other: {"a": {"model": one, "ema": other}},
}
"""Checkpoints with two state dicts that fit, and the name of the second."""


@pytest.mark.parametrize("part", SEVERAL)
def test_of_several_state_dicts_that_fit_one_is_named(net: Network, tmp_path: Path, part: str) -> None:
    one, other = net.to_torch().state_dict(), net.to_torch().state_dict()
    content = SEVERAL[part](one, other)
    path = tmp_path / "w.pth"
    torch.save(content, path)
    with pytest.raises(ArchspecError, match=rf"and '{part}' of .*w\.pth fit the network equally well") as error:
        net.to_torch(path)
    assert code(error) == "wrong-weights"
    assert f"--weights {path}:{part}" in (error.value.diagnostics[0].help or "")
    assert torch.equal(net.to_torch(f"{path}:{part}").fc.weight, other["fc.weight"])
    assert torch.equal(net.to_torch(Path(f"{path}:{part}")).fc.weight, other["fc.weight"])
    with pytest.raises(ArchspecError, match=r"w\.pth has no part 'nothing'"):
        net.weights_report(f"{path}:nothing")
    with pytest.raises(ArchspecError, match="help: pass the one that is meant"):
        net.weights_report(content)


def test_mappings_that_hold_themselves(net: Network, tmp_path: Path) -> None:
    state = dict(net.to_torch().state_dict())
    loop: dict[str, Any] = {"model": state}
    loop |= {f"self{i}": loop for i in range(300)}
    assert net.weights_report(loop).complete
    torch.save({**loop, "args": argparse.Namespace()}, tmp_path / "w.pth")
    assert net.weights_report(tmp_path / "w.pth").complete


def test_tensors_beside_a_state_dict_that_fit_are_preferred(net: Network) -> None:
    state = net.to_torch().state_dict()
    assert net.weights_report({**state, "params_ema": state}).complete


def test_entries_that_are_not_tensors_are_ignored(net: Network) -> None:
    state = {**net.to_torch().state_dict(), "epoch": 3, "names": ["a"]}
    report = net.weights_report(state)
    assert report.complete
    assert report.stripped == ("entries that are not tensors: epoch, names",)


def test_wrapped_modules_load(net: Network) -> None:
    module = net.to_torch()
    for wrapped in (nn.DataParallel(module), torch.compile(module, backend="eager")):
        assert net.weights_report(wrapped).complete
        assert torch.equal(net.to_torch(wrapped).fc.weight, module.fc.weight)


def test_a_prefix_is_kept_where_the_network_has_it() -> None:
    wanted = {"module.a", "module.b"}
    assert set(named({"module.a": 1}, wanted).entries) == {"module.a"}
    with pytest.raises(ArchspecError, match="'module' and '_orig_mod' fit the network equally well"):
        named({f"{prefix}a": 1 for prefix in PREFIXES}, {"a"})


# --- names of old checkpoints ---------------------------------------------------------------------------------------


def test_the_spec_renames_old_names(weights: dict[str, np.ndarray]) -> None:
    net = parse(RENAMED)
    old = {key.replace("c1.", "first.").replace("c2.", "body.c2.conv."): array for key, array in weights.items()}
    report = net.weights_report(old)
    assert report.complete
    assert dict(report.renamed) == {
        "first.weight": "c1.weight",
        "first.bias": "c1.bias",
        "body.c2.conv.weight": "c2.weight",
        "body.c2.conv.bias": "c2.bias",
    }
    assert report.text().splitlines()[1:] == ["renamed:  first.weight to c1.weight, and 3 more"]


def test_a_star_matches_parts_of_a_name(weights: dict[str, np.ndarray]) -> None:
    old = {name.replace("c1", "my-c1-old"): array for name, array in weights.items()}
    assert parse(TEXT, rename={"my-*-old": "*"}).weights_report(old).complete
    assert not parse(TEXT, rename={"my-*-new": "*"}).weights_report(old).complete
    assert named({"layer12.conv.weight": 0}, {"12.conv.weight"}, [rule("layer*", "*")]).entries == {"12.conv.weight": 0}
    assert named({"a1_2_3": 0}, {"2_3.1"}, [rule("a*_*", "*.*")]).entries == {"1.2_3": 0}, "as few as possible"


def test_weights_are_left_out_by_a_rule(weights: dict[str, np.ndarray]) -> None:
    old = {**weights, "anchors-0": np.zeros(3, np.float32), "head.old.weight": np.zeros(3, np.float32)}
    for net in (
        parse(f"{TEXT}rename: {{anchors-*: ~, head: null}}\n"),
        parse(TEXT, rename={"anchors-*": None, "head": None}),
        parse(TEXT, rename=renames(["anchors-*=~", "head=~"])),
    ):
        report = net.weights_report(old)
        assert report.complete
        assert report.foreign == ("anchors-0", "head.old.weight")
        assert "left out:  anchors-0, head.old.weight" in report.text()
        assert sorted(net.weights(old)) == sorted(weights)
    assert not parse(TEXT, rename={"anchors-*": None}).weights_report(old).complete


def test_weights_saved_by_archspec_load_despite_rename_rules(weights: dict[str, np.ndarray]) -> None:
    net = parse(f"{TEXT}\nrename: {{c1: c2, c2: c1}}\n")
    report = net.weights_report(weights)
    assert report.complete
    assert not report.renamed


def test_rename_rules_that_merge_two_names_are_reported(weights: dict[str, np.ndarray]) -> None:
    net = parse(f"{TEXT}\nrename:\n  old.*: c*\n".replace("c*", '"*"'), name="net.yaml")
    with pytest.raises(ArchspecError) as error:
        net.weights_report({**weights, "old.c1.weight": weights["c1.weight"]})
    assert code(error) == "wrong-rename"
    assert str(error.value).startswith("net.yaml:15:3: error[wrong-rename]: 'c1.weight' and 'old.c1.weight' would both")


names = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(".".join)
rules = st.lists(
    st.tuples(names, names, st.booleans()).map(
        lambda t: rule(t[0].replace("a", "*"), ".".join(["*"] * t[0].count("a") + ["z"])) if t[2] else rule(t[0], "z.z")
    ),
    max_size=4,
)


@examples(st.lists(names, unique=True, max_size=8), rules)
def test_renaming_keeps_every_entry_or_fails(entries: list[str], table: list[Rename]) -> None:
    """Law: as many entries as before, each found again, those of the network under their own names."""
    wanted = set(entries[:2])
    try:
        found = named({name: name for name in entries}, wanted, table)
    except ArchspecError:
        return
    assert sorted(found.entries.values()) == sorted(entries)
    assert all(found.entries[name] == name for name in wanted)
    assert {old: new for new, old in found.entries.items() if old != new} == dict(found.renamed)


@examples(names, names, st.lists(st.sampled_from("xyz"), max_size=3))
def test_a_rename_rule_replaces_a_prefix(old: str, new: str, rest: list[str]) -> None:
    own = rule(old, new)
    name = ".".join([old, *rest])
    assert own.matches(name)
    assert own.apply(name) == ".".join([new, *rest])
    assert not own.matches(f"{old}x")


def test_a_prefix_is_taken_off_by_a_rule(weights: dict[str, np.ndarray]) -> None:
    """Without the rule too, as most of the rest fits; but not where the rest has other names."""
    inside = {f"net.{key.replace('c1', 'first')}": array for key, array in weights.items()}
    for net in (
        parse(f'{TEXT}rename: {{net.first: c1, net: ""}}\n'),
        parse(TEXT, rename={"net.first": "c1", "net": ""}),
        parse(f"{TEXT}rename: {{first: c1}}\n"),
        parse(f"{TEXT}rename: {{net.first: c2}}\n", rename={"net.first": "c1", "net": ""}),
    ):
        assert net.weights_report(inside).complete
    for wrong in ({"": "a"}, {"a": "b c"}, {"a.*": "b"}, {"a": "a"}, {"a": 3}):
        with pytest.raises(ArchspecError):
            parse(TEXT, rename=wrong)


OTHER_NAMES: dict[str, dict[str, str]] = {
    "a head": {"fc.": "head."},
    "several layers": {"c1.": "stem.conv.", "bn.": "stem.norm.", "fc.": "head.fc."},
    "all of them": {"c1.": "features.0.", "bn.": "features.1.", "c2.": "features.3.", "fc.": "classifier."},
}


@pytest.mark.parametrize("names", OTHER_NAMES.values(), ids=OTHER_NAMES)
def test_rules_for_other_names_are_proposed(weights: dict[str, np.ndarray], names: dict[str, str]) -> None:
    net = parse(TEXT)
    old = dict(weights)
    for ours, theirs in names.items():
        old = {key.replace(ours, theirs, 1) if key.startswith(ours) else key: array for key, array in old.items()}
    report = net.weights_report(old)
    assert not report.complete
    assert parse(TEXT, rename=dict(report.proposed)).weights_report(old).complete
    _, _, pasted = report.text().partition("use ")
    assert parse(f"{TEXT}{pasted.partition(', or --rename')[0]}\n").weights_report(old).complete


def test_proposed_rules_are_short_and_end_in_the_help(weights: dict[str, np.ndarray]) -> None:
    old = {key.replace("fc.", "head."): array for key, array in weights.items()}
    assert parse(TEXT).weights_report(old).text().splitlines()[-1] == (
        "help: the shapes agree for head.* -> fc.*; if these are the same layers, use rename: {head: fc}, "
        "or --rename 'head=fc'"
    )


def test_many_rules_are_printed_as_a_part_of_a_spec() -> None:
    layers = "".join(f"  - linear: {{name: l{i}, features: {i + 2}}}\n" for i in range(8))
    text = f"archspec: 1\nname: net\ninput: [4]\nlayers:\n{layers}"
    old = {key.replace("l", "layers.", 1): array for key, array in parse(text).weights().items()}
    printed = parse(text).weights_report(old).text()
    assert parse(text + printed[printed.index("\nrename:") :] + "\n").weights_report(old).complete


def test_numbers_in_names_become_stars() -> None:
    old = {f"layer.{i}.q.{leaf}": (i, leaf) for i in range(3) for leaf in ("weight", "bias")}
    new = {f"blocks.{i}.attn.q.{leaf}": (i, leaf) for i in range(3) for leaf in ("weight", "bias")}
    assert proposals(old, new) == (("layer.*", "blocks.*.attn"),)
    bare = {"cls_token": 1, "pos": 2}, {"token": 1, "position": 2}
    assert dict(proposals(*bare)) == {"cls_token": "token", "pos": "position"}
    assert proposals({"a.weight": 1}, {"b.weight": 2}) == ()


# --- another head ---------------------------------------------------------------------------------------------------


def test_with_another_head_the_rest_loads_and_is_reported(tmp_path: Path) -> None:
    to_file(load("resnet18").weights(), tmp_path / "w.safetensors")
    net = load("resnet18", classes=10)
    with pytest.raises(ArchspecError, match="use strict=False or --no-strict"):
        net.to_torch(tmp_path / "w.safetensors")
    with pytest.warns(UserWarning, match=r"fc.weight  \[10, 512\]  got \[1000, 512\]"):
        module = net.to_torch(tmp_path / "w.safetensors", strict=False)
    stored = safetensors.numpy.load_file(tmp_path / "w.safetensors")
    for key, tensor in module.state_dict().items():
        if key in ("fc.weight", "fc.bias"):
            assert tensor.shape[0] == 10
            assert tensor.abs().max() > 0
        else:
            np.testing.assert_array_equal(tensor.numpy(), stored[key])
    with pytest.warns(UserWarning, match="keep their initial values"):
        arrays = net.weights(tmp_path / "w.safetensors", seed=3, strict=False)
    np.testing.assert_array_equal(arrays["fc.weight"], net.weights(seed=3)["fc.weight"])
    np.testing.assert_array_equal(arrays["conv1.weight"], stored["conv1.weight"])


def test_weights_of_another_network_are_rejected_without_strict(net: Network) -> None:
    with pytest.raises(ArchspecError, match="none of them fit: they belong to another network"):
        loaded(net.graph, load("vgg11").to_torch().state_dict(), strict=False)
    assert examined(net.graph, {}).matched == ()


def test_weights_are_rejected_if_none_matches(weights: dict[str, np.ndarray]) -> None:
    net = parse(TEXT)
    with pytest.raises(ArchspecError, match="0 matched"):
        net.to_torch({key: np.zeros((2, 2, 2, 2, 2)) for key in weights}, strict=False)


def test_errors_of_an_optimized_network_name_the_original_weights(net: Network, weights: dict[str, np.ndarray]) -> None:
    with pytest.raises(ArchspecError, match=r"help: pass weights of the original network to optimized\(weights\)"):
        net.optimized().to_torch(weights)
