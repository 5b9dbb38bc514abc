#!/usr/bin/env python3
"""Write `specs/OPS.md`, the reference of the ops, from their docstrings; `--check` only says if it is up to date."""

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

Every op, by family, with what may be written of it. `./tools/op_reference.py` writes this page from the docstrings.

All of them also take `name`, `from` and `when`, those with weights `share`, `init`, `weight` and `trainable`
as well: [the language](README.md) tells of these. Sizes are without the batch axis; axes are counted with it, so that 1
is the channels. Where windows slide, one number is meant for every axis, and a list has one for each.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([OPENING, *contents(), *families()])


def contents() -> Iterator[str]:
    """The ops by family, each a link to what is said of it."""
    for title, ops in _by_family().items():
        yield f"- {title}: " + ", ".join(f"[`{op.kind}`](#{op.kind})" for op in ops)
    yield ""


def families() -> Iterator[str]:
    """A section a family."""
    for title, ops in _by_family().items():
        yield f"## {title}\n"
        for op in ops:
            yield from section(op)


def section(op: type[Op]) -> Iterator[str]:
    """What is said of one op: its docstring, how it is written, and its attributes."""
    about = documentation(op)
    yield f"### {op.kind}\n"
    yield about.summary + "\n"
    if about.text:
        yield about.text + "\n"
    yield "; ".join(_notes(op)) + ".\n"
    if op.model_fields:
        yield from pages.table(["attribute", "takes", "default", ""], _attributes(op, about))
        yield ""


def _attributes(op: type[Op], about: Documentation) -> Iterator[tuple[str, str, str, str]]:
    for name, attribute in attributes_of(op).items():
        default = "required" if attribute.required else _yaml(op.model_fields[name].default)
        yield f"`{name}`", attribute.phrase, default, about.attributes[name]


def _by_family() -> dict[str, list[type[Op]]]:
    """The ops by what the file they are declared in says of itself."""
    families: dict[str, list[type[Op]]] = {}
    for op in OPS:
        first = (sys.modules[op.__module__].__doc__ or "").partition("\n")[0]
        families.setdefault(first.rstrip(".").partition(":")[0], []).append(op)
    return families


def _notes(op: type[Op]) -> Iterator[str]:
    """How it is written, and how many values it takes."""
    required = [name for name, field in op.model_fields.items() if field.is_required()]
    if op.shorthand == "from":
        yield f"Written `- {op.kind}: [one, other]`" + ("" if op.inputs else ", or as the `join` of `parallel`")
    elif op.shorthand is None:
        needed = ", ".join(f"{name}: ..." for name in required)
        yield f"Written `- {op.kind}: {{{needed}}}`" if needed else f"Written `- {op.kind}`"
    else:
        alone = not required and op.model_fields[op.shorthand].default is not None
        yield f"Written {f'`- {op.kind}` or ' if alone else ''}`- {op.kind}: {op.shorthand.upper()}` for short"
    if op.inputs is not None and op.inputs > 1:
        yield f"takes {op.inputs} values"


def _yaml(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else f"{value}"


if __name__ == "__main__":
    sys.exit(pages.main(PAGE, page(), __doc__))
