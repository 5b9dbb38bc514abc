"""The source text: what a careful engineer would have written, and nothing a spec can smuggle in."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn

import archspec
from archspec import zoo
from archspec.diagnostics import Source
from archspec.loading import check_source
from archspec.lower.reserved_names import CONTAINER_METHODS, RESERVED, reserved_message
from archspec.lower.torch.helper_classes import helper, helper_classes

NAMES = sorted(name for name, _ in zoo.names())

LONGEST = {
    "resnet50": 120,
    "vgg16": 80,
    "unet": 110,
    "mobilenet_v2": 125,
    "googlenet": 130,
    "densenet121": 120,
    "efficientnet_b7": 260,
    "faster_rcnn_resnet50_fpn": 380,
    "mask_rcnn_resnet50_fpn": 470,
    "retinanet_resnet50_fpn": 390,
    **dict.fromkeys(("swin_t", "swin_s", "swin_b"), 410),
    **dict.fromkeys(("yolox_tiny", "yolox_s", "yolox_m", "yolox_l", "yolox_x"), 290),
    **dict.fromkeys(("yolov8n", "yolov8s", "yolov8m", "yolov8l", "yolov8x"), 320),
    **dict.fromkeys(("hrnet_w18", "hrnet_w32", "hrnet_w48"), 515),
    "wavenet": 220,
    "srgan_generator": 90,
}
"""Lines a network may take; what a reader would have needed by hand, and less than torchvision's files."""


ROOT = Path(__file__).parent.parent.parent.parent


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with the source of every network of the zoo, and of all classes such source may bring along."""
    folder = tmp_path_factory.mktemp("sources") / "generated"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name in NAMES:
        archspec.load(name).save_source(folder / f"{name}.py")
    kinds = {name.removesuffix("2d"): (1, 2, 3) if name.endswith("2d") else (0,) for name in helper_classes()}
    texts = [helper(kind, axes)[1] for kind, every in kinds.items() for axes in every]
    head = "import torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\n"
    (folder / "all_helpers.py").write_text("\n\n".join([head, *texts]).replace("\n\n\n\n", "\n\n\n"))
    return folder


LINT = ["ruff", "check", "--isolated", "--select", "E,F,W,I,UP,B,C4,SIM,PIE,RET,RUF", "--ignore",
        "B009,B010,RUF001,RUF002"]  # fmt: skip
FORMAT = ["ruff", "format", "--isolated", "--check", "--diff"]
# the configuration and the cache of the checkout, which knows torch already if mypy has run there
TYPES = ["mypy", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]


@pytest.mark.parametrize("command", [LINT, FORMAT, TYPES], ids=["lint", "format", "types"])
def test_linters_and_type_checkers_accept_the_source(command: list[str], sources: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command, sources.name], capture_output=True, text=True, cwd=sources.parent, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_source_imports_only_torch_and_is_deterministic(name: str, sources: Path) -> None:
    text = (sources / f"{name}.py").read_text()
    imported = {alias.name if isinstance(node, ast.Import) else node.module
                for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)
                for alias in node.names}  # fmt: skip
    assert imported <= {"torch", "torch.nn.functional", "collections"}
    assert text == archspec.load(name).source()
    assert len(text.splitlines()) < LONGEST.get(name, 250)


def test_a_file_runs_without_archspec(sources: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", sources / "lenet5.py"], capture_output=True, text=True, check=True, cwd=sources
    )
    assert done.stdout == "(1, 10)\n"


def test_reserved_names_include_the_attributes_of_a_module() -> None:
    public = {name for name in dir(nn.Module()) if not name.startswith("_")}
    assert public <= RESERVED
    containers = (nn.Sequential(), nn.ModuleList(), nn.ModuleDict())
    assert {name for each in containers for name in dir(each) if name[0] != "_"} <= RESERVED | CONTAINER_METHODS


@pytest.mark.parametrize("name", ["half", "forward", "__init__", "_modules"])
def test_reserved_names_are_rejected(name: str) -> None:
    spec = f"archspec: 1\nname: a\ninput: [3, 8, 8]\nlayers:\n  - conv: {{name: {name}, channels: 1, kernel: 1}}\n"
    warnings = check_source(Source("<spec>", spec))
    assert [(warning.code, str(warning.span)) for warning in warnings] == [("reserved-name", "<spec>:5:5")]
    net = archspec.parse(spec)
    with pytest.raises(archspec.ArchspecError) as error:
        net.source()
    assert f"<spec>:5:5: error[unsupported]: {reserved_message(name)}" in str(error.value)


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


@pytest.mark.parametrize("block", ["unit2", "tensor", "f", "ordered_dict", "none"])
def test_class_names_are_unique(block: str) -> None:
    """Of two that `unit` makes the second is Unit2, unless a block is called so; none hides what the source reads."""
    net = archspec.parse(f"""
archspec: 1
name: told_apart
input: [3, 8, 8]
blocks:
  unit:
    args: [deep]
    layers: [conv: {{channels: 4, kernel: 1}}, relu: {{when: deep}}, conv: {{channels: 4, kernel: 3}}]
  "{block}": {{layers: [conv: {{channels: 2, kernel: 1}}, batch_norm, sigmoid]}}
layers:
  - unit: {{name: a, deep: true}}
  - unit: {{name: b, deep: false}}
  - "{block}": {{name: c}}
  - flatten
  - linear: 2
""")
    module = net.to_torch()
    assert set(module.state_dict()) == {key for key, _ in net.graph.weights()}
    assert len({type(child).__name__ for child in (module.a, module.b, module.c)}) == 3
