"""What options of the command line say of a spec: `--set` and `--input`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archspec.diagnostics import fail
from archspec.loading import constant


def params(given: Sequence[str] | None) -> dict[str, Any]:
    """What `--set` says, each value read as a spec would read it."""
    values: dict[str, Any] = {}
    for item in given or ():
        name, equals, text = item.partition("=")
        if not equals or not name.strip() or not text.strip():
            raise fail("wrong-value", f"--set {item} is not PARAM=VALUE", help="as in --set classes=10")
        values[name.strip()] = constant(text, f"--set {name.strip()}")
    return values


def inputs(given: Sequence[str] | None) -> dict[str, tuple[int, ...]] | tuple[int, ...] | None:
    """What `--input` says: a shape for the only input, shapes by name, or nothing."""
    if not given:
        return None
    named: dict[str, tuple[int, ...]] = {}
    for item in given:
        name, equals, text = item.rpartition("=")
        sizes = text.split("x")
        if not all(size.isdecimal() for size in sizes):
            raise fail("wrong-input", f"--input {item} is not sizes with an x between", help="as in --input 3x224x224")
        named[name if equals else ""] = tuple(map(int, sizes))
    return named[""] if list(named) == [""] else named
