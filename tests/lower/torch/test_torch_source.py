"""The source text: what a careful engineer would have written, and nothing a spec can smuggle in."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import archspec
from archspec import zoo
from archspec.lower.torch.helpers import HELPERS, helper
from archspec.lower.torch.module_names import RESERVED

NAMES = sorted(name for name, _ in zoo.names())

LONGEST = {"resnet50": 120, "vgg16": 80, "googlenet": 130, "densenet121": 120}
LONGEST |= dict.fromkeys(("yolox_tiny", "yolox_s", "yolox_m", "yolox_l", "yolox_x"), 440)
"""Lines a network may take; what a reader would have needed by hand, and less than torchvision's files."""


TYPED = (
    "lenet5_1998",
    "alexnet_grouped",
    "vgg16_bn",
    "resnet18",
    "preact_resnet50",
    "resnet20_cifar",
    "mobilenet_v2",
    "densenet121",
    "googlenet",
    "unet",
)
"""One network of each family, for the slow check of types."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source of every network of the zoo."""
    folder = tmp_path_factory.mktemp("sources")
    for name in NAMES:
        archspec.load(name).save_source(folder / f"{name}.py")
    return folder


LINT = ["ruff", "check", "--isolated", "--select", "E,F,W,I,UP,B,C4,SIM,PIE,RET,RUF", "--ignore",
        "B009,B010,RUF001,RUF002"]  # fmt: skip
FORMAT = ["ruff", "format", "--isolated", "--check", "--diff"]
TYPES = ["mypy", "--no-incremental", "--no-warn-unused-configs", "--config-file="]
each_command = pytest.mark.parametrize("command", [LINT, FORMAT, TYPES], ids=["lint", "format", "types"])


@each_command
def test_a_reviewer_of_the_helpers_has_nothing_to_say(command: list[str], tmp_path: Path) -> None:
    texts = [helper(kind, axes)[1] for kind in HELPERS for axes in ((1, 2, 3) if "{d}" in HELPERS[kind] else (0,))]
    head = "import torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\n"
    (tmp_path / "helpers.py").write_text("\n\n".join([head, *texts]).replace("\n\n\n\n", "\n\n\n"))
    done = subprocess.run(
        [sys.executable, "-m", *command, "helpers.py"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@each_command
def test_a_reviewer_has_nothing_to_say(command: list[str], sources: Path) -> None:
    files = [f"{name}.py" for name in TYPED] if command[0] == "mypy" else ["."]
    done = subprocess.run(
        [sys.executable, "-m", *command, *files], capture_output=True, text=True, cwd=sources, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_torch_alone_is_imported_and_bytes_repeat(name: str, sources: Path) -> None:
    text = (sources / f"{name}.py").read_text()
    imported = {alias.name if isinstance(node, ast.Import) else node.module
                for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)
                for alias in node.names}  # fmt: skip
    assert imported <= {"torch", "torch.nn.functional", "collections"}
    assert text == archspec.load(name).source()
    assert len(text.splitlines()) < LONGEST.get(name, 250)


def test_a_file_runs_alone(sources: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", sources / "lenet5.py"], capture_output=True, text=True, check=True, cwd=sources
    )
    assert done.stdout == "(1, 10)\n"


def test_reserved_names_are_those_of_a_module() -> None:
    public = {name for name in dir(nn.Module()) if not name.startswith("_")}
    assert public <= RESERVED


@pytest.mark.parametrize("name", ["half", "forward", "__init__", "_modules"])
def test_a_layer_cannot_take_a_modules_own_name(name: str) -> None:
    spec = f"archspec: 1\nname: a\ninput: [3, 8, 8]\nlayers:\n  - conv: {{name: {name}, channels: 1, kernel: 1}}\n"
    net = archspec.parse(spec)
    with pytest.raises(archspec.ArchspecError) as error:
        net.source()
    wanted = f"<spec>:5:5: error[unsupported]: PyTorch's modules have something of their own called '{name}'"
    assert wanted in str(error.value)


AWKWARD = ("3a", "class", "in", "F", "nn", "torch", "self", "x", "y", "None", "0", "model", "super")


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names_work(name: str) -> None:
    """A child may be called what Python reserves, or what the source calls something else."""
    net = archspec.parse(f"""
archspec: 1
name: awkward
input: [3, 8, 8]
blocks:
  {"b" + name}:
    args: [self, nn]
    layers: [conv: {{name: "{name}", channels: self, kernel: nn}}]
layers:
  - conv: {{name: "{name}", channels: 4, kernel: 3}}
  - {"b" + name}: {{name: one, self: 4, nn: 1}}
  - {"b" + name}: {{name: two, self: 5, nn: 3}}
""")
    keys = {key for key, _ in net.graph.weights()}
    assert {f"{name}.weight", f"one.{name}.bias"} <= keys
    assert set(net.to_torch().state_dict()) == keys


ALLOWED = (ast.Module, ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.If, ast.For, ast.Assign,
           ast.AnnAssign, ast.Expr, ast.Return, ast.Call, ast.Attribute, ast.Name, ast.Constant, ast.Tuple, ast.List,
           ast.BinOp, ast.UnaryOp, ast.Compare, ast.Subscript, ast.Slice, ast.Starred, ast.GeneratorExp, ast.IfExp,
           ast.comprehension, ast.keyword, ast.arguments, ast.arg, ast.alias, ast.operator, ast.unaryop, ast.cmpop,
           ast.expr_context)  # fmt: skip
"""All that generated source is made of."""


@settings(max_examples=40, deadline=None)
@given(
    text=st.text(min_size=1, max_size=40) | st.sampled_from(['"""', "'''", "\\", '"""\nimport os\n"""', "{x}", "%s"])
)
def test_no_text_of_a_spec_becomes_code(text: str) -> None:
    """Summaries and references only ever stand in docstrings, whatever they hold."""
    import yaml

    body = {
        "archspec": 1, "name": text, "summary": text, "reference": text, "input": [1, 4],
        "layers": [{"conv": {"channels": 2, "kernel": 3, "weight": [[1, 0, -1]], "bias": False}}, "relu"],
    }  # fmt: skip
    try:
        net = archspec.parse(yaml.safe_dump(body))
    except archspec.ArchspecError:
        return
    tree = ast.parse(net.source())
    assert all(isinstance(node, ALLOWED) for node in ast.walk(tree))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert names - classes <= {
        "nn",
        "F",
        "torch",
        "Tensor",
        "self",
        "x",
        "model",
        "print",
        "tuple",
        "super",
        "__name__",
    }


def test_linear_layers_start_apart_from_those_within_attention() -> None:
    """The last map of attention is an `nn.Linear` to PyTorch, and not a `linear` of the spec."""
    net = archspec.parse("""
archspec: 1
name: n
input: [5, 8]
init: {linear: {weight: ones}, multi_head_attention: {in_proj_weight: zeros}}
layers:
  - multi_head_attention: {name: attention, heads: 2}
  - linear: {name: first, features: 8}
  - linear: {name: second, features: 8}
""")
    state = net.to_torch().state_dict()
    assert state["first.weight"].eq(1).all()
    assert state["second.weight"].eq(1).all()
    assert state["attention.in_proj_weight"].eq(0).all()
    assert not state["attention.out_proj.weight"].eq(1).any()


def test_what_follows_from_other_numbers_is_no_parameter() -> None:
    spec = """
archspec: 1
name: a
input: [4, 8, 8]
blocks:
  separable:
    args: [kernel, channels]
    layers:
      - conv: {channels: 2 * in.channels, kernel: 1}
      - depthwise: {kernel: kernel, groups: in.channels}
      - conv: {channels: channels, kernel: 1}
  depthwise:
    args: [kernel, groups]
    layers: [conv: {channels: in.channels, kernel: kernel, padding: kernel // 2, groups: groups}]
layers:
  - separable: {kernel: 3, channels: 6}
  - separable: {kernel: 5, channels: 8}
  - depthwise: {kernel: 3, groups: 1}
"""
    source = archspec.parse(spec).source()
    assert "def __init__(self, in_channels: int, kernel: int, channels: int) -> None:" in source
    assert "Depthwise(2 * in_channels, 2 * in_channels, kernel=kernel)" in source
    assert "padding=kernel // 2" in source


@pytest.mark.parametrize(("padded", "loops"), [("zeros", 2), ("ones", 1)])
def test_convolutions_padded_by_hand_start_as_the_spec_says_and_not_as_the_others_do(padded: str, loops: int) -> None:
    """They are an `nn.Conv1d` to PyTorch as well."""
    net = archspec.parse(f"""
archspec: 1
name: n
input: [3, 8]
layers:
  - conv: {{name: a, channels: 3, kernel: 3, init: {{weight: ones}}}}
  - conv: {{name: b, channels: 3, kernel: 3, init: {{weight: ones}}}}
  - conv: {{name: c, channels: 3, kernel: 2, padding: [[1, 0]], init: {{weight: {padded}}}}}
  - conv: {{name: d, channels: 3, kernel: 2, padding: [[1, 0]], init: {{weight: {padded}}}}}
""")
    assert net.source().count("(module.weight)") == loops
    state = net.to_torch().state_dict()
    assert all(state[f"{name}.weight"].eq(1).all() for name in "ab")
    assert all(state[f"{name}.weight"].eq(padded == "ones").all() for name in "cd")


def test_kinds_of_layers_that_start_alike_share_their_lines() -> None:
    net = archspec.parse("""
archspec: 1
name: n
input: [3, 8]
init: {conv: {weight: ones}, conv_transpose: {weight: ones}}
layers:
  - conv: {channels: 3, kernel: 3}
  - conv: {channels: 3, kernel: 3}
  - conv_transpose: {channels: 3, kernel: 3}
  - conv_transpose: {channels: 3, kernel: 3}
""")
    assert "if isinstance(module, nn.Conv1d | nn.ConvTranspose1d):" in net.source()
    assert all(value.eq(1).all() for key, value in net.to_torch().state_dict().items() if key.endswith("weight"))


def test_activations_are_handed_over_by_their_name_and_those_with_weights_one_a_place() -> None:
    spec = """
archspec: 1
name: a
input: [4, 8, 8]
blocks:
  twice:
    args: [act]
    naming: index
    layers: [conv: {channels: 4, kernel: 1}, $act, conv: {channels: 4, kernel: 1}, $act]
layers: [twice: relu, twice: OTHER, twice: relu]
"""
    stateless = archspec.parse(spec.replace("OTHER", "silu")).source()
    assert "def __init__(self, act: nn.Module) -> None:" in stateless
    assert "Twice(nn.SiLU(inplace=True))" in stateless
    learned = archspec.parse(spec.replace("OTHER", "prelu"))
    assert "Twice(nn.PReLU(), nn.PReLU())" in learned.source()
    assert list(learned.to_torch().state_dict()) == [key for key, _ in learned.graph.weights()]
    assert sum(weight.numel() for weight in learned.to_torch().parameters()) == learned.params


def test_a_sequence_is_not_handed_over_where_its_layers_differ_in_kind() -> None:
    spec = """
archspec: 1
name: a
input: [4, 8, 8]
blocks:
  body:
    args: [norm]
    layers:
      - sequential:
          name: block
          naming: index
          layers: [conv: {channels: in.channels, kernel: 1}, batch_norm: {when: norm}, relu]
layers: [body: false, body: true, body: true]
"""
    source = archspec.parse(spec).source()
    assert "self.body = Body()" in source
    assert "self.body_1 = Body2()" in source
