"""Tabs that YAML 1.2 allows and the parser, which reads YAML 1.1, refuses.

YAML 1.2 forbids tabs only where they would be indentation: before a key or a dash. They may stand on a blank line,
before a comment, and before any other value (sections 6.1 to 6.3; DK95 of yaml-test-suite).
"""

from __future__ import annotations

import re

_BREAKS = "\r\n\x85\u2028\u2029"

_LINE = re.compile(rf"(?<![^{_BREAKS}])([ \t]*+(?:-[ \t]++)*+)([^{_BREAKS}]*+)")
"""The whitespace and dashes at the start of a line, and what follows them."""

_BLOCK_COLLECTION = re.compile(r"[-?:](?:\s|$)|[^\[{].*?:(?:\s|$)")


def without_tabs(text: str) -> str:
    """The text with spaces for the tabs before comments and values, and without the whitespace on blank lines.

    The lines stay the same, and so do the columns of what is on them.
    """
    return _LINE.sub(_line_without_tabs, text)


def _line_without_tabs(line: re.Match[str]) -> str:
    lead, rest = line.groups()
    if "\t" not in lead or "-" in lead.partition("\t")[2]:
        return line.group()
    if not rest and "-" not in lead:
        return ""  # since spaces could indent a block scalar
    if rest and not rest.startswith("#") and (lead.startswith("\t") or _BLOCK_COLLECTION.match(rest)):
        return line.group()
    return lead.replace("\t", " ") + rest
