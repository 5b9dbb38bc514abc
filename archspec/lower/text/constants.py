"""Numbers of a spec in generated source: a few are written inline, many in a table."""

from __future__ import annotations

import textwrap
from collections.abc import Container, Iterator, Mapping

from archspec.lower.text.formatter import INDENT, WIDTH, literal

_LARGE = 32
"""The minimum number of values for a table."""


def is_large(values: object) -> bool:
    """Whether nested tuples of numbers are long enough for a table."""
    return literal(values).count(",") >= _LARGE


def enter(tables: dict[str, object], key: str, values: object, reserved: Container[str] = ()) -> str:
    """Add a table of the values of a weight; return its name: the weight's, with `_` appended if that is taken."""
    name = key.replace(".", "_").upper()
    name = name if name.isidentifier() else f"_{name}"
    while name in reserved or tables.setdefault(name, values) != values:
        name += "_"
    return name


def table_lines(tables: Mapping[str, object]) -> Iterator[str]:
    """The lines of tables by their names; `fmt: off` prevents one number per line."""
    for name, values in tables.items():
        yield from ("", "# fmt: off", f"{name} = (")
        for row in values if isinstance(values, tuple) else (values,):
            yield from textwrap.wrap(literal(row) + ",", WIDTH, initial_indent=INDENT, subsequent_indent=INDENT + " ")
        yield from (")", "# fmt: on")
