"""The wheel: what it contains, and that it works where PyTorch is not installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import archspec

ROOT = Path(archspec.__file__).parent.parent

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from archspec.cli import main
main()
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=ROOT, check=True, capture_output=True
    )
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked wheel, away from the checkout."""
    folder = tmp_path_factory.mktemp("site")
    (wheel,) = built.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def run(script: str, *arguments: str, site: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-P", "-c", script, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_what_the_distributions_contain(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    (source,) = built.glob("*.tar.gz")
    assert wheel.name == f"archspec_compiler-{archspec.__version__}-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"archspec/py.typed", "archspec/specs/resnet.yaml", "archspec/specs/blocks/residual.yaml"} <= names
    assert not [name for name in names if name.startswith(("tests/", "tools/"))]
    with tarfile.open(source) as archive:
        folders = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert {"archspec", "specs", "tests", "tools", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"} <= folders


def test_a_plain_install_never_brings_torch(installed: Path) -> None:
    (metadata,) = installed.glob("*.dist-info/METADATA")
    required = re.findall(r"^Requires-Dist: (.*)$", metadata.read_text(encoding="utf-8"), re.MULTILINE)
    base = {re.match(r"[\w-]+", line)[0] for line in required if "extra ==" not in line}  # type: ignore[index]
    assert base == {"graphviz", "networkx", "numpy", "onnx", "pydantic", "pyyaml", "safetensors"}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras) == {"torch", "keras", "onnxruntime", "draw", "pdf", "all"}
    assert extras["all"] == [f"archspec-compiler[{','.join(name for name in extras if name != 'all')}]"]


@pytest.mark.parametrize(
    "command", ["check resnet18", "summary resnet18", "draw lenet5 -o a.dot", "compile lenet5 -o a.py",
                "compile lenet5 -o a_keras.py --target keras", "compile lenet5 -o a.onnx", "show residual",
                "show resnet50 --copy mine"],
)  # fmt: skip
def test_the_wheel_works_without_torch(command: str, installed: Path, tmp_path: Path) -> None:
    done = run(WITHOUT_TORCH, *command.split(), site=installed, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    if "-o" in command:
        assert (tmp_path / command.split()[3]).stat().st_size > 0


def test_to_torch_says_what_to_install(installed: Path, tmp_path: Path) -> None:
    script = "import sys; sys.modules['torch'] = None; import archspec; archspec.load('lenet5').to_torch()"
    done = run(script, site=installed, cwd=tmp_path)
    assert "pip install 'archspec-compiler[torch]'" in done.stderr
