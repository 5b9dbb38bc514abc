"""The classes that generated source defines are real ones, which the compiler copies and does not import."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from torch import nn

from archspec.lower.torch import helpers
from archspec.lower.torch.helper_classes import helper, helper_classes
from archspec.lower.torch.helper_classes import helpers as texts

MODULES = [import_module(f"{helpers.__name__}.{module.name}") for module in iter_modules(helpers.__path__)]
DEFINED: dict[str, Callable[..., Any]] = {
    name: value for module in MODULES for name, value in vars(module).items()
    if getattr(value, "__module__", "") == module.__name__
}  # fmt: skip


def test_the_text_of_a_helper_is_its_source() -> None:
    assert {name: inspect.getsource(value) for name, value in DEFINED.items()} == helper_classes()


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("kind", [name.removesuffix("2d") for name in DEFINED if name.endswith("2d")])
def test_a_class_for_two_axes_is_copied_for_others(kind: str, axes: int) -> None:
    name, text = helper(kind, axes)
    assert name == f"{kind}{axes}d"
    assert f"class {name}(nn." in text
    assert f"tuple[{', '.join(['int'] * axes)}]" in text or kind == "SameConv"
    assert f"= {(1,) * axes}" in text or kind != "SameMaxPool"
    assert ("2d" in text) == (axes == 2)
    assert ("tuple[int, int]" in text) == (axes == 2 and kind != "SameConv")


def test_helpers_without_a_number_of_axes() -> None:
    assert helper("Squash") == ("Squash", inspect.getsource(DEFINED["Squash"]))
    assert helper("Own", "\nclass Own(nn.Module): ...\n\n") == ("Own", "class Own(nn.Module): ...\n")


def test_functions_that_a_helper_calls_come_with_it() -> None:
    assert [*texts((("SameConv", 1), ("SameMaxPool", 2)))] == ["same_pads", "SameConv1d", "SameMaxPool2d"]
    assert [*texts((("crop_to_smallest", 0), ("center_crop", 0)))] == ["center_crop", "crop_to_smallest"]
    assert [*texts((("Own", "def center_crop(): ...\nclass Own: ..."),))] == ["Own"]


def test_the_compiler_does_not_import_helpers() -> None:
    statement = (
        "import sys; from archspec import load; "
        "assert 'class Squash' in load('capsnet').source(); "
        f"assert not any(name.startswith('{helpers.__name__}.') or name == 'torch' for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", statement], check=True)


def test_all_classes_are_modules() -> None:
    assert all(issubclass(value, nn.Module) for value in DEFINED.values() if inspect.isclass(value))
