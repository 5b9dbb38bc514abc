"""Loading: values for params, under any name, and specs that do not exist."""

from __future__ import annotations

import gc
import inspect
from pathlib import Path

import pytest

import archspec
from archspec import zoo

ARGUMENTS = sorted({*inspect.signature(archspec.load).parameters, *inspect.signature(archspec.parse).parameters})


def spec(param: str) -> str:
    return f"archspec: 1\nname: n\nparams: {{{param}: 4, width: 1}}\ninput: [2]\nlayers: [linear: {param}]\n"


@pytest.mark.parametrize("name", [*ARGUMENTS, "classes"])
def test_every_param_can_be_given_as_a_mapping(name: str, tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(spec(name))
    assert archspec.parse(spec(name), params={name: 7}).outputs == {"output": (7,)}
    assert archspec.load(file, params={name: 7}, width=3).overrides == {name: 7, "width": 3}


@pytest.mark.parametrize("name", ["spec", "text"])
def test_params_may_have_the_name_of_the_first_argument(name: str, tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(spec(name))
    assert (
        archspec.load(file, **{name: 7}).outputs == archspec.parse(spec(name), **{name: 7}).outputs == {"output": (7,)}
    )


def test_a_param_given_twice_is_an_error() -> None:
    with pytest.raises(archspec.ArchspecError, match="the param 'width' is given twice"):
        archspec.parse(spec("classes"), params={"width": 3}, width=3)


def test_an_unknown_param_is_reported_either_way() -> None:
    with pytest.raises(archspec.ArchspecError, match="'n' has no param 'widht'"):
        archspec.parse(spec("classes"), params={"widht": 3})


@pytest.mark.parametrize(
    ("spec", "variant", "help"),
    [
        ("vgg", "vgg16", f"a variant follows the name of the spec: {zoo.folder() / 'vgg.yaml'}:vgg16"),
        ("vgg", "vgg_16", "did you mean 'vgg16'?"),
        ("vnet", "large", "known here: vnet, vnet_released"),
        ("zfnet", None, "known here: zfnet, zfnet_b"),
        ("vgg16", "vgg16", f"a variant follows the name of the spec: {zoo.folder() / 'vgg.yaml'}:vgg16"),
    ],
)
def test_a_variant_is_not_a_param(spec: str, variant: str | None, help: str) -> None:
    with pytest.raises(archspec.ArchspecError, match="has no param 'variant'") as raised:
        archspec.load(spec, variant=variant)
    assert raised.value.diagnostics[0].help == help


def test_check_rejects_the_text_of_a_spec() -> None:
    (found,) = archspec.check(spec("classes"))
    assert (found.code, found.help) == ("unknown-spec", "`archspec.parse` takes a spec as text")


def test_a_path_without_a_file_is_reported_with_a_suggestion(tmp_path: Path) -> None:
    (tmp_path / "network.yaml").write_text(spec("classes"))

    def reported(path: str) -> tuple[str, str | None]:
        return next((found.message, found.help) for found in archspec.check(path))

    def missing(name: str, help: str | None) -> tuple[tuple[str, str | None], ...]:
        return reported(str(tmp_path / name)), (f"there is no file {tmp_path / name}", help)

    for found, wanted in (
        missing("netwrok.yaml", f"did you mean '{tmp_path / 'network.yaml'}'?"),
        missing("network", f"did you mean '{tmp_path / 'network.yaml'}'?"),
        missing("resnet18.yaml", "did you mean 'resnet18', which is in the zoo?"),
        missing("quite_another.yaml", None),
    ):
        assert found == wanted
    assert reported(str(tmp_path)) == (f"{tmp_path} is a folder", "name a file in it, or a network in the zoo")


@pytest.mark.parametrize("name", ["unet", "googlenet"])
def test_a_network_that_is_not_used_any_more_is_freed_at_once(name: str) -> None:
    """Nothing of a build is left to the garbage collector, which would go through every object now and then."""
    archspec.load(name)
    gc.collect()
    gc.disable()
    try:
        archspec.load(name)
        assert gc.collect() == 0
    finally:
        gc.enable()
