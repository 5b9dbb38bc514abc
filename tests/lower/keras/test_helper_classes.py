"""The classes that generated source defines are real ones, which the compiler copies and does not import."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module

import pytest

from archspec.lower.keras import helper_classes, helpers


def test_the_text_is_that_of_the_class() -> None:
    pytest.importorskip("keras")
    files = ("attention", "initializers", "layers", "padding", "pool", "recurrent", "roi")
    modules = [import_module(f"{helpers.__name__}.{name}") for name in files]
    classes = {name: value for module in modules for name, value in vars(module).items() if inspect.isclass(value)}
    assert set(classes) == set(helper_classes.helper_classes())
    for name, value in classes.items():
        assert helper_classes.helper(name) == (name, inspect.getsource(value))


def test_the_compiler_does_not_import_them() -> None:
    statement = (
        "import sys; from archspec import load; "
        "assert '@keras.saving' in load('alexnet_grouped').source('keras'); "
        f"assert not any(name.startswith('{helpers.__name__}.') or name == 'keras' for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", statement], check=True)
