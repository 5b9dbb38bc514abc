"""Errors of the YAML parser, explained in the terms of a spec."""

from __future__ import annotations

import re

import yaml

from archspec.diagnostics import ArchspecError, Edit, Source, Span, fail
from archspec.edits import inserted
from archspec.frontend.yaml.unquoted import with_quotes_around

_QUOTE = "put quotes around the text"
_ALIGN = "indent it like its neighbours"
_TAG = ("tags are not part of the language", _QUOTE)
_ANCHOR = ("'&' needs the name of an anchor after it", _QUOTE)
_ALIAS = ("'*' needs the name of an anchor after it", _QUOTE)
_VALUE_OVER = ("unexpected text after the end of the value", "put the whole value in quotes")

_UNSPACED = re.compile(r"[ -]*\w+(?=:[^\s:/])")
"""A key that YAML reads as text because no space follows its colon."""

_AFTER_UNSPACED = ("could not find expected ':'", "did not find expected key", "mapping values")
"""The problems the parser reports for a line with such a key."""

# (problem, context) of the parser -> (message, help)
_EXPLANATIONS: dict[tuple[str, str], tuple[str, str | None]] = {
    ("block sequence entries are not allowed in this context", ""): (
        "a '-' cannot start an item here",
        "start each item of a list on its own line",
    ),
    ("mapping keys are not allowed in this context", ""): ("a '?' cannot start a key here", _QUOTE),
    ("could not find expected ':'", "while scanning a simple key"): (
        "missing ':' after a key",
        "write `key: value`; an item of a list starts with '- '",
    ),
    ("did not find expected ',' or ']'", "while parsing a flow sequence"): (
        "expected ',' or ']'",
        None,
    ),
    ("did not find expected ',' or '}'", "while parsing a flow mapping"): (
        "expected ',' or '}'",
        None,
    ),
    ("found unexpected ':'", "while scanning a plain scalar"): (
        "unexpected ':' inside a text",
        "write `key: value` with a space, or put quotes around the text",
    ),
    ("found unknown escape character", "while parsing a quoted scalar"): (
        "unknown escape sequence",
        "write \\\\ for a backslash, or use single quotes",
    ),
    ("found invalid Unicode character escape code", "while parsing a quoted scalar"): (
        "invalid Unicode escape",
        "write \\\\ for a backslash, or use single quotes",
    ),
    ("did not find expected node content", "while parsing a flow node"): (
        "expected a value",
        "remove the extra ',', or close the bracket",
    ),
    ("did not find expected node content", "while parsing a block node"): (
        "unmatched closing bracket",
        "remove it, or put quotes around the text",
    ),
    ("found character that cannot start any token", "while scanning for the next token"): (
        "a text cannot start with this character",
        _QUOTE,
    ),
    ("did not find expected comment or line break", "while scanning a block scalar"): (
        "a text after | or > must start on the next line",
        None,
    ),
    ("did not find expected <document start>", ""): ("unexpected text after the end of the spec", "remove it"),
    ("did not find expected alphabetic or numeric character", "while scanning an anchor"): _ANCHOR,
    ("did not find expected alphabetic or numeric character", "while scanning an alias"): _ALIAS,
    ("did not find expected tag URI", "while parsing a tag"): _TAG,
    ("found undefined tag handle", "while parsing a node"): _TAG,
}


def explain(source: Source, error: yaml.YAMLError) -> ArchspecError:
    """The diagnostic of a YAML syntax error, at the start of the faulty construct if the parser reports it."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return fail("yaml-syntax", f"{source.name} is not YAML: {str(error).partition(chr(10))[0]}")
    problem, context = error.problem or "bad syntax", error.context or ""
    mark, begin = error.problem_mark, error.context_mark
    unclosed = begin is not None and problem.startswith(("did not find expected ','", "found unexpected"))
    if begin is not None and "simple key" in context:
        mark = begin
    elif unclosed and (begin.line != mark.line or "quoted" in context):
        return _failure(source, begin, f"unclosed {'quote' if 'quoted' in context else 'bracket'}")
    number, column = _place(source, mark)
    line = source.lines[number]
    before, here = line[:column], line[column : column + 1]
    if "tab character" in problem or here == "\t" or (before.isspace() and "\t" in before):
        return _failure(source, mark, "YAML does not allow a tab here", "indent with spaces")
    if line.startswith("%"):
        return _failure(source, mark, "YAML directives are not part of the language", "remove the line")
    key = _UNSPACED.match(line)
    if number and problem.startswith("mapping values") and (above := _UNSPACED.match(source.lines[number - 1])):
        span = Span(source, number, above.end() + 1, number, above.end() + 2)  # the key above, read as a text
        edits = [inserted(source, source.offset(number, above.end() + 2), " ")]
        return fail("yaml-syntax", "missing space after ':'", span, help="write `key: value`", edits=edits)
    if key is not None and problem.startswith(_AFTER_UNSPACED):
        space = inserted(source, source.offset(number + 1, key.end() + 2), " ")
        message, help = "missing space after ':'", "write `key: value`"
        return _failure(source, mark, message, help, back=column - key.end(), edit=space)
    if problem.startswith("mapping values"):
        return _stray_colon(source, mark, before)
    if problem in ("did not find expected key", "did not find expected '-' indicator"):
        return _failure(source, mark, *_misaligned(problem, before, here))
    if problem.startswith("did not find expected ','") and here == ":":
        message = "missing ',' before another key"
        return _failure(source, mark, message, "add a ',' before the key, or quote a text that contains ': '")
    if problem.startswith("did not find expected ','") and here in ("[", "{"):
        edit = with_quotes_around(source, number + 1, column)
        return _failure(source, mark, "unexpected bracket inside a text", "put quotes around the text", edit=edit)
    return _failure(source, mark, *_EXPLANATIONS.get((problem, context), (f"{problem} {context}".rstrip(), None)))


def _stray_colon(source: Source, mark: yaml.Mark, before: str) -> ArchspecError:
    if ": " in before:
        return _failure(source, mark, "unexpected second ':' on one line", "quote a text that contains ': '")
    back = len(before.lstrip(" -"))
    message = "a key cannot start here: the value above continues on this line"
    return _failure(source, mark, message, _ALIGN, back=back)


def _misaligned(problem: str, before: str, here: str) -> tuple[str, str]:
    if before.strip(" -"):
        return _VALUE_OVER
    if "'-'" in problem:
        return "unexpected key among the items of a list", f"start it with '- ', or {_ALIGN}"
    if here == "-":
        return "unexpected list item among the keys of a mapping", "indent it under the key it belongs to"
    return "the indentation matches no line above", _ALIGN


def _failure(
    source: Source, mark: yaml.Mark, message: str, help: str | None = None, *, back: int = 0, edit: Edit | None = None
) -> ArchspecError:
    """An error at a mark, or `back` characters before it."""
    number, column = _place(source, mark)
    span = Span(source, number + 1, column + 1 - back, number + 1, column + 2 - back)
    return fail("yaml-syntax", message, span, help=help, edits=[edit] if edit else [])


def _place(source: Source, mark: yaml.Mark) -> tuple[int, int]:
    """The line and column of a mark, from 0, clipped to the text: the parser's end is one past it."""
    number = min(mark.line, len(source.lines) - 1)
    return number, min(mark.column, len(source.lines[number]))
