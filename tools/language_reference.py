#!/usr/bin/env python3
"""Write the tables of the language into `specs/README.md`; `--check` only reports whether they are up to date."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import yaml  # noqa: E402

from archspec import zoo  # noqa: E402
from archspec.diagnostic_codes import CODES  # noqa: E402
from archspec.frontend import limits  # noqa: E402
from archspec.frontend.expressions import parser, values  # noqa: E402
from archspec.frontend.expressions.functions import FUNCTIONS  # noqa: E402
from archspec.frontend.language.blocks import BLOCK  # noqa: E402
from archspec.frontend.language.document import SPEC  # noqa: E402
from archspec.frontend.language.expect import EXPECT, LAYER_FACTS  # noqa: E402
from archspec.frontend.language.reader import Keys  # noqa: E402
from archspec.frontend.language.steps import CALL  # noqa: E402
from archspec.frontend.language.structures import COMMON, CONSTRUCTS, PART  # noqa: E402
from archspec.frontend.language.weight_options import FREEZING, WEIGHT_KEYS  # noqa: E402
from archspec.ir.initializers import INITIALIZERS  # noqa: E402
from tools import pages  # noqa: E402


def page() -> str:
    """The page with up-to-date tables."""
    structures = ((f"`{keyword}`", construct.keys) for keyword, construct in CONSTRUCTS.items())
    return pages.filled(
        pages.LANGUAGE.read_text("utf-8"),
        {
            "spec": keys([("a spec", SPEC)]),
            "functions": (f"- `{call}`: {what}." for call, what in _functions()),
            "item": keys(
                [
                    ("any item", COMMON),
                    ("with weights", WEIGHT_KEYS),
                    ("with layers inside", FREEZING),
                    ("a call", {"until": CALL["until"]}),
                ]
            ),
            "structures": keys((name, _without(found, PART)) for name, found in structures),
            "block": keys([("a block", BLOCK)]),
            "library": pages.table(["file", "block", "arguments", ""], _library()),
            "initializers": pages.table(["initializer", "options"], _initializers()),
            "expect": keys([("`expect`", EXPECT), ("a layer", LAYER_FACTS)]),
            "codes": pages.table(
                ["code", "", ""], ((f"`{name}`", code.severity, code.doc) for name, code in CODES.items())
            ),
            "limits": pages.table(["at most", "of"], _limits()),
        },
    )


def keys(tables: Iterable[tuple[str, Keys]]) -> Iterator[str]:
    """The lines of a table of keys: what they belong to, their names and their meaning."""
    rows = (
        (what, f"`{name}`" + (" (required)" if key.required else ""), f"{key.doc}")
        for what, found in tables
        for name, key in found.items()
    )
    return iter(pages.table(["of", "key", ""], rows))


def _without(found: Keys, common: Keys) -> Keys:
    return {name: key for name, key in found.items() if name not in common}


def _functions() -> Iterator[tuple[str, str]]:
    for function in FUNCTIONS.values():
        first = (function.__doc__ or "").partition("\n")[0]
        call, _, what = first.partition(": ")
        yield call.replace(" or ", "` or `"), what.rstrip(".")


def _library() -> Iterator[tuple[str, str, str, str]]:
    """The blocks of the zoo, with their inputs and arguments and the summary of their file."""
    for path in sorted((zoo.folder() / "blocks").glob("*.yaml")):
        spec = yaml.safe_load(path.read_text("utf-8"))
        file, summary = f"[`blocks/{path.name}`](blocks/{path.name})", spec["summary"]
        for name, block in spec["blocks"].items():
            given = block.get("args", {})
            given = given if isinstance(given, dict) else dict.fromkeys(given)
            arguments = (key if value is None else f"{key}: {json.dumps(value)}" for key, value in given.items())
            inputs = f"from: {', '.join(block['inputs'])}; " if "inputs" in block else ""
            yield file, f"`{name}`", inputs + ", ".join(arguments).replace('"', ""), summary
            file, summary = "", ""


def _initializers() -> Iterator[tuple[str, str]]:
    for name, options in INITIALIZERS.items():
        yield (
            f"`{name}`",
            "; ".join(
                f"`{option}`: " + (", ".join(default) if isinstance(default, tuple) else f"{default:g}")
                for option, default in options.items()
            ),
        )


def _limits() -> Iterator[tuple[str, str]]:
    """The limits, each with the docstring below its constant."""
    meanings = _meanings(ast.parse(Path(limits.__file__ or "").read_text("utf-8")))
    for name, meaning in meanings.items():
        yield f"{getattr(limits, name):,}", (meaning[0].lower() + meaning[1:]).rstrip(".")
    yield f"{parser.MAX_LENGTH:,}", "characters of an expression"
    yield f"{parser.MAX_DEPTH:,}", "parts of an expression inside one another"
    yield f"{values.MAX_LIST:,}", "entries of a list that an expression makes"


def _meanings(module: ast.Module) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for before, after in zip(module.body, module.body[1:], strict=False):
        if isinstance(before, ast.Assign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            (target,) = before.targets
            assert isinstance(target, ast.Name)
            found[target.id] = " ".join(str(after.value.value).split())
    return found


if __name__ == "__main__":
    sys.exit(pages.main(pages.LANGUAGE, page(), __doc__))
