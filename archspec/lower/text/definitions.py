"""Classes and functions of a Python file as text, to be copied into generated source."""

from __future__ import annotations

import ast
from pathlib import Path


def definitions(file: Path) -> dict[str, str]:
    """The source text of the top-level classes and functions of a Python file, by name.

    The text includes decorators and ends with a newline. The file is read, not imported.
    """
    text = file.read_text("utf-8")
    lines = text.splitlines(keepends=True)
    return {
        node.name: "".join(lines[min(part.lineno for part in (node, *node.decorator_list)) - 1 : node.end_lineno])
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    }
