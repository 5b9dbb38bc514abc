"""Loading: how values for params are given, whatever the params are called."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import archspec

ARGUMENTS = sorted({*inspect.signature(archspec.load).parameters, *inspect.signature(archspec.parse).parameters})


def spec(param: str) -> str:
    return f"archspec: 1\nname: n\nparams: {{{param}: 4, width: 1}}\ninput: [2]\nlayers: [linear: {param}]\n"


@pytest.mark.parametrize("name", [*ARGUMENTS, "classes"])
def test_every_param_can_be_given_as_a_mapping(name: str, tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(spec(name))
    assert archspec.parse(spec(name), params={name: 7}).outputs == {"output": (7,)}
    assert archspec.load(file, params={name: 7}, width=3).given == {name: 7, "width": 3}


@pytest.mark.parametrize("name", ["spec", "text"])
def test_the_spec_itself_has_no_name_that_a_param_could_not_have(name: str, tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(spec(name))
    assert (
        archspec.load(file, **{name: 7}).outputs == archspec.parse(spec(name), **{name: 7}).outputs == {"output": (7,)}
    )


def test_a_param_is_given_once() -> None:
    with pytest.raises(archspec.ArchspecError, match="the param 'width' is given twice"):
        archspec.parse(spec("classes"), params={"width": 3}, width=3)


def test_an_unknown_param_is_told_in_either_way() -> None:
    with pytest.raises(archspec.ArchspecError, match="'n' has no param 'widht'"):
        archspec.parse(spec("classes"), params={"widht": 3})
