"""`archspec list` and `archspec show`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archspec import zoo
from tests.test_cli import run


def test_a_list_is_sorted() -> None:
    macs = [entry["macs"] for entry in json.loads(run("list", "vgg", "--sort", "macs", "--json")[0])]
    assert macs == sorted(macs)
    names = [entry["name"] for entry in json.loads(run("list", "vgg", "--sort", "name", "--json")[0])]
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("resnet50", "resnet.yaml"),
        ("resnet:resnet50", "resnet.yaml"),
        ("resnet", "resnet.yaml"),
        ("lectures/padding", "lectures/padding.yaml"),
        ("blocks/residual.yaml", "blocks/residual.yaml"),
        ("blocks/residual", "blocks/residual.yaml"),
        ("residual", "blocks/residual.yaml"),
    ],
)
def test_show_prints_a_file(name: str, file: str, tmp_path: Path) -> None:
    assert run("show", name, cwd=tmp_path) == ((zoo.folder() / file).read_text("utf-8"), "")


def test_a_copy_is_complete(tmp_path: Path) -> None:
    _, said = run("show", "mobilenet_v3_small", "--copy", "mine", cwd=tmp_path)
    files = [
        "mobilenet_v3.yaml",
        *(f"blocks/{name}.yaml" for name in ("conv_norm_act", "inverted_residual", "squeeze_excite")),
    ]
    assert said == "".join(f"wrote mine/{name}\n" for name in files)
    assert {path.relative_to(tmp_path / "mine").as_posix() for path in tmp_path.rglob("*.yaml")} == {*files}
    for name in files:
        assert (tmp_path / "mine" / name).read_bytes() == (zoo.folder() / name).read_bytes()
    assert run("check", "mine", "--strict", cwd=tmp_path)[0] == ""
    run("show", "mobilenet_v3_small", "--copy", "mine", cwd=tmp_path)


def test_a_copy_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "residual.yaml").write_text("mine")
    _, err = run("show", "resnet50", "--copy", ".", cwd=tmp_path, code=1)
    assert "error[unwritable-file]: blocks/residual.yaml exists, and differs" in err
    assert [path.name for path in tmp_path.rglob("*.yaml")] == ["residual.yaml"]


@pytest.mark.parametrize(
    ("name", "help"),
    [("resnot50", "did you mean 'resnet50'?"), ("blocks/residul", "did you mean 'residual'?")],
)
def test_what_is_not_there(name: str, help: str, tmp_path: Path) -> None:
    assert help in run("show", name, cwd=tmp_path, code=1)[1]
