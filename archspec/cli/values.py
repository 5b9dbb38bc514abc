"""The values of arguments and options: specs, params, input shapes, warning codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archspec import loading
from archspec.cli.parser import STANDARD_INPUT, STDIN
from archspec.diagnostic_codes import WARNINGS
from archspec.diagnostics import Source, fail, warning_code_help
from archspec.frontend.limits import MAX_BYTES
from archspec.frontend.yaml.tree import decode


def open_spec(spec: str) -> tuple[Source, str | None]:
    """The text of a spec and the selected variant; `-` reads standard input, and `-:VARIANT` selects a variant of it.

    Raises:
        ArchspecError: there is no such spec, or it cannot be read.
    """
    name, colon, variant = spec.partition(":")
    if name not in (STANDARD_INPUT, STDIN):
        return loading.read_spec(spec)
    if sys.stdin is None:
        raise fail("unreadable-file", "there is no standard input")
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    except OSError as error:
        raise fail("unreadable-file", f"cannot read standard input: {error.strerror or error}") from error
    here = Path(STANDARD_INPUT)  # imports are relative to the working directory
    return decode(STDIN, data, here), variant if colon else None


def allowed_codes(given: Sequence[str] | None) -> frozenset[str]:
    """The value of `--allow`: the codes of the warnings to suppress. Errors cannot be suppressed.

    Raises:
        ArchspecError: a code is not that of a warning.
    """
    for code in given or ():
        if code not in WARNINGS:
            message = f"--allow {code}: this is not a warning code"
            raise fail("wrong-value", message, help=warning_code_help(code))
    return frozenset(given or ())


def renames(given: Sequence[str] | None) -> dict[str, str | None]:
    """The value of `--rename`: new names of weights by the old ones; None, written `~`, leaves them out.

    Raises:
        ArchspecError: an item is not OLD=NEW, or an old name is given twice.
    """
    rules: dict[str, str | None] = {}
    for item in given or ():
        old, equals, new = item.partition("=")
        if not equals or not old:
            help = "OLD= removes a prefix, OLD=~ leaves weights out"
            raise fail("wrong-value", f"--rename {item}: this is not OLD=NEW", help=help)
        if old in rules:
            raise fail("wrong-value", f"--rename {item}: '{old}' is given twice", help="remove one of the rules")
        rules[old] = None if new == "~" else new
    return rules


def params(given: Sequence[str] | None) -> dict[str, Any]:
    """The value of `--set`: params by name, each parsed as in a spec.

    Raises:
        ArchspecError: an item is not PARAM=VALUE, or its value is invalid.
    """
    values: dict[str, Any] = {}
    for item in given or ():
        name, equals, text = item.partition("=")
        if not equals or not name.strip() or not text.strip():
            raise fail("wrong-value", f"--set {item} is not PARAM=VALUE", help="as in --set classes=10")
        values[name.strip()] = loading.constant(text, f"--set {name.strip()}")
    return values


def input_shapes(given: Sequence[str] | None) -> dict[str, tuple[int, ...]] | tuple[int, ...] | None:
    """The value of `--input`: a shape for the only input, shapes by name, or None.

    Raises:
        ArchspecError: an item is not a shape.
    """
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
