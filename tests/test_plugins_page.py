"""The page on plugins: its package is installed and used, and its op is compared with a reference."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import archspec
from archspec import plugin

ROOT = Path(archspec.__file__).parent.parent
PAGE = ROOT / "archspec" / "PLUGINS.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


class Involve(nn.Module):
    """The reference, element by element: Li et al. Involution, CVPR 2021, equations 2 and 4."""

    def __init__(self, channels: int, kernel: int, groups: int, reduction: int) -> None:
        super().__init__()
        self.kernel, self.groups = kernel, groups
        self.reduce = nn.Conv2d(channels, channels // reduction, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels // reduction)
        self.span = nn.Conv2d(channels // reduction, groups * kernel**2, 1)

    def forward(self, x: Tensor) -> Tensor:
        kernels = self.span(functional.relu(self.norm(self.reduce(x))))
        half, (height, width) = self.kernel // 2, x.shape[2:]
        padded = functional.pad(x, (half,) * 4)
        out = torch.zeros_like(x)
        for channel in range(x.shape[1]):
            group = channel * self.groups // x.shape[1]
            for tap in range(self.kernel**2):
                row, column = divmod(tap, self.kernel)
                seen = padded[:, channel, row : row + height, column : column + width]
                out[:, channel] += kernels[:, group * self.kernel**2 + tap] * seen
        return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page, and the metadata of its package that an installer writes."""
    folder = tmp_path_factory.mktemp("plugin")
    for _, body in BLOCK.findall(PAGE.read_text("utf-8")):
        path = folder / body.split()[1]
        path.parent.mkdir(exist_ok=True)
        path.write_text(body, "utf-8")
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    facts = folder / f"{project['name']}-{project['version']}.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["archspec.ops"]
    (facts / "entry_points.txt").write_text(
        "[archspec.ops]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
    )
    return folder


@pytest.fixture
def net(folder: Path, monkeypatch: pytest.MonkeyPatch) -> archspec.Network:
    monkeypatch.syspath_prepend(str(folder))
    return archspec.load(folder / "net.yaml")


def run(script: list[str], folder: Path, installed: bool = True) -> str:
    paths = os.pathsep.join([str(ROOT), *([str(folder)] if installed else [])])
    done = subprocess.run(
        [sys.executable, *script], capture_output=True, text=True, cwd=folder, check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def test_its_scripts_run(folder):
    printed = run(["use.py"], folder).splitlines()
    assert re.fullmatch(r"<Network net: 8 layers, [\d,]+ params, [\d,]+ MACs>", printed[0])
    # 3 x 3 neighbours; nine products for each of 16 x 14 x 14 elements
    assert printed[1:] == ["(3, 3) 28224", "(1, 16, 14, 14)"]
    assert run(["build.py"], folder) == "<Network net: 2 layers, 306 params, 84,672 MACs>\n"


def test_the_page_uses_public_names_only_and_mentions_them_all():
    page = PAGE.read_text("utf-8")
    modules = set(re.findall(r"^(?:from|import) (archspec[\w.]*)", page, re.MULTILINE))
    assert modules == {"archspec", "archspec.ir", "archspec.ops", "archspec.plugin"}
    for name in plugin.__all__:
        assert re.search(rf"\b{name}\b", page), f"{name} is public and not on the page"


def test_it_computes_what_the_reference_does(net, folder):
    theirs = nn.Sequential(Involve(16, 3, 2, 4), nn.BatchNorm2d(16), nn.ReLU()).eval()
    ours = net.to_torch().eval()
    names = {"0": "mixer", "1": "batch_norm"}
    ours.load_state_dict({names[name[0]] + name[1:]: value for name, value in theirs.state_dict().items()})
    x = torch.randn(2, 16, 14, 14)
    torch.testing.assert_close(ours(x), theirs(x))
    net.to_onnx(folder / "net.onnx", ours)
    (found,) = onnxruntime.InferenceSession(folder / "net.onnx").run(None, {"input": x.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), theirs(x), rtol=1e-4, atol=1e-5)


def test_its_source_runs_alone_and_it_can_be_drawn(net, folder):
    net.save_source(folder / "alone.py")
    assert run(["alone.py"], folder, installed=False) == "(1, 16, 14, 14)\n"
    net.draw(folder / "net.dot")
    assert "involution" in (folder / "net.dot").read_text()


def test_a_check_imports_no_rules(folder):
    script = "import archspec, sys; assert archspec.check('net.yaml') == (); print(*sys.modules)"
    loaded = run(["-c", script], folder).split()
    assert "involution.ops" in loaded
    assert not {"involution.torch_rules", "involution.onnx_rules", "torch", "onnx"} & {*loaded}


def test_rules_import_no_target():
    names = ", ".join(plugin.__all__)
    script = f"from archspec.plugin import {names}\nimport sys; print(*sys.modules)"
    loaded = run(["-c", script], ROOT, installed=False).split()
    assert "archspec.lower.onnx.builder" in loaded
    assert not {"torch", "onnx", "keras", "onnxruntime"} & {*loaded}


def test_without_the_package_the_op_is_unknown(folder, tmp_path):
    text = (folder / "net.yaml").read_text()
    (found,) = archspec.check(_written(tmp_path / "net.yaml", text))
    assert found.code == "unknown-op"


@pytest.mark.parametrize(
    ("written", "instead", "code"),
    [("kernel: 3", "kernel: 4", "bad-padding"), ("groups: 2", "groups: 3", "indivisible-channels")],
)
def test_errors_of_the_op_point_at_the_line(written, instead, code, folder, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(folder))
    text = (folder / "net.yaml").read_text().replace(written, instead)
    (found,) = archspec.check(_written(tmp_path / "net.yaml", text))
    assert (found.code, found.span and found.span.line) == (code, 15)


def test_a_module_is_named_instead_of_installed(folder, tmp_path):
    _written(tmp_path / "net.yaml", (folder / "net.yaml").read_text())
    (tmp_path / "involution").symlink_to(folder / "involution")
    command = ["-m", "archspec", "check", "net.yaml"]
    assert "error[unknown-op]" in run(command, tmp_path, installed=False)
    assert run([*command, "--plugin", "involution.ops"], tmp_path, installed=False) == ""


def _written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path
