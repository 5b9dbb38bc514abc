#!/usr/bin/env python3
"""Write `specs/OPS.md`, the reference of the ops, from their docstrings; `--check` reports whether it is current."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from archspec.ops import OPS, Op  # noqa: E402
from archspec.ops.attribute_types import attributes_of  # noqa: E402
from archspec.ops.documentation import Documentation, documentation  # noqa: E402
from tools import pages  # noqa: E402

PAGE = ROOT / "specs" / "OPS.md"

OPENING = """\
# The ops

All ops and their attributes, by family. `./tools/op_reference.py` generates this page from the docstrings.

All ops also take `name`, `from` and `when`; ops with weights take `share`, `init`, `weight` and `trainable` as well.
[The language reference](README.md) describes these keys. Sizes exclude the batch axis; axis numbers include it, so the
channels are axis 1. For sliding windows, a single number applies to every axis, and a list has one number per axis.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([OPENING, *contents(), *families()])


def contents() -> Iterator[str]:
    """The table of contents: the ops by family, each linked to its section."""
    for title, ops in _by_family().items():
        yield f"- {title}: " + ", ".join(f"[`{op.kind}`](#{op.kind})" for op in ops)
    yield ""


def families() -> Iterator[str]:
    """One section per family."""
    for title, ops in _by_family().items():
        yield f"## {title}\n"
        for op in ops:
            yield from section(op)


def section(op: type[Op]) -> Iterator[str]:
    """The section of one op: its docstring, its syntax and its attributes."""
    about = documentation(op)
    yield f"### {op.kind}\n"
    yield about.summary + "\n"
    if about.text:
        yield about.text + "\n"
    yield "; ".join(_notes(op)) + ".\n"
    if attributes_of(op):
        yield from pages.table(["attribute", "takes", "default", ""], _attributes(op, about))
        yield ""


def _attributes(op: type[Op], about: Documentation) -> Iterator[tuple[str, str, str, str]]:
    for name, attribute in attributes_of(op).items():
        default = "required" if attribute.required else _yaml(attribute.default)
        yield f"`{name}`", attribute.phrase, default, about.attributes[name]


def _by_family() -> dict[str, list[type[Op]]]:
    """The ops by family; the title of a family is the first line of its module's docstring."""
    families: dict[str, list[type[Op]]] = {}
    for op in OPS:
        first = (sys.modules[op.__module__].__doc__ or "").partition("\n")[0]
        families.setdefault(first.rstrip(".").partition(":")[0], []).append(op)
    return families


def _notes(op: type[Op]) -> Iterator[str]:
    """Its syntax, and the number of its inputs."""
    required = [name for name, attribute in attributes_of(op).items() if attribute.required]
    if op.shorthand == "from":
        number = f", or `- {op.kind}: NUMBER`" if "number" in attributes_of(op) and op.kind != "where" else ""
        yield f"Written `- {op.kind}: [one, other]`{number}" + ("" if op.inputs else ", or as the `join` of `parallel`")
    elif op.shorthand is None:
        needed = ", ".join(f"{name}: ..." for name in required)
        yield f"Written `- {op.kind}: {{{needed}}}`" if needed else f"Written `- {op.kind}`"
    else:
        alone = not required and attributes_of(op)[op.shorthand].default is not None
        yield f"Written {f'`- {op.kind}` or ' if alone else ''}`- {op.kind}: {op.shorthand.upper()}` for short"
    if op.inputs is not None and op.inputs > 1:
        yield f"takes {op.inputs} values"


def _yaml(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else f"{value}"


if __name__ == "__main__":
    sys.exit(pages.main(PAGE, page(), __doc__))
