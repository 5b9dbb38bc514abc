"""The source text: it passes linter and formatter, imports only Keras, and is reproducible."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import archspec
from tests.lower.text.test_names import PLAIN, spec

LINT = [
    "ruff",
    "check",
    "--isolated",
    "--no-cache",
    "--select",
    "E,F,W,I,UP,B,C4,SIM,PIE,RET,RUF",
    "--ignore",
    "RUF001,RUF002",
]
FORMAT = ["ruff", "format", "--isolated", "--no-cache", "--check", "--diff"]

UNSUPPORTED = ("dilation10_cityscapes",)
"""Networks with an op that Keras cannot express."""

NAMES = (
    "lenet5", "lenet5_1998", "alexnet", "alexnet_grouped", "capsnet", "vit_b_16", "vgg16_bn", "resnet18",
    "resnext50_32x4d", "preact_resnet50", "unet", "mobilenet_v2", "segnet_camvid", "faster_rcnn_resnet50_fpn",
    "mobilenet_v3_small", "densenet121", "googlenet", "inception_v3", "squeezenet1_1", "efficientnet_b0", "xception",
    "unet_3d", "srgan_generator", "autoencoder_pooled", "fractalnet20", "deeplabv3_resnet50",
)  # fmt: skip


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source of one network of each family."""
    folder = tmp_path_factory.mktemp("keras")
    for name in NAMES:
        archspec.load(name).save_source(folder / f"{name}.py", "keras")
    return folder


@pytest.mark.parametrize("command", [LINT, FORMAT], ids=["lint", "format"])
def test_linter_and_formatter_accept_the_source(command: list[str], sources: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command, "."], capture_output=True, text=True, cwd=sources, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_keras_is_imported_and_the_text_is_reproducible(sources: Path) -> None:
    for file in sources.glob("*.py"):
        tree = ast.parse(file.read_text())
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert imported <= {"functools", "keras", "math"}
    assert (sources / "resnet18.py").read_text() == archspec.load("resnet18").source("keras")


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_an_op_that_keras_cannot_express_has_a_diagnostic(name: str) -> None:
    with pytest.raises(archspec.ArchspecError) as error:
        archspec.load(name).source("keras")
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "unsupported"
    assert diagnostic.span is not None


def test_an_unknown_target() -> None:
    with pytest.raises(archspec.ArchspecError) as error:
        archspec.load("lenet5").source("flax")
    assert [found.code for found in error.value.diagnostics] == ["wrong-target"]


@pytest.mark.parametrize(
    "words",
    [
        {"block": "list"}, {"block": "dict", "outer": "tuple"}, {"block": "super", "network": "math"},
        {"argument": "input0", "second": "Dense"}, {"argument": "unit", "passed": "unit"},
        {"left": "Conv2D", "right": "__debug__"}, {"network": "initializers", "outer": "partial"},
    ],
    ids=str,
)  # fmt: skip
def test_names_do_not_change_what_keras_computes(words: dict[str, str]) -> None:
    net = archspec.parse(spec(words))
    weights = dict(zip(net.weights(), PLAIN.weights().values(), strict=True))
    image, depth = torch.rand(2, 2, 4, 4), torch.rand(2, 2, 4, 4)
    got, wanted = net.to_keras(weights)([image, depth]), PLAIN.to_keras(PLAIN.weights())([image, depth])
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other)
