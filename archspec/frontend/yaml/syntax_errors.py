"""Bad YAML, explained: what the parser says, in the words of someone who writes specs."""

from __future__ import annotations

import re

import yaml

from archspec.diagnostics import ArchspecError, Source, Span, fail

_QUOTE = "put quotes around the text"
_ALIGN = "indent it as far as its neighbours"
_TAG = ("tags are not part of the language", _QUOTE)
_ANCHOR = ("'&' marks what an alias repeats, and needs a name after it", _QUOTE)
_ALIAS = ("'*' repeats what an anchor marks, and needs its name after it", _QUOTE)
_VALUE_OVER = ("the value ended before this", "put quotes around all of it")

_UNSPACED = re.compile(r"[ -]*\w+(?=:[^\s:/])")
"""A key that is none, because no space stands after its colon."""

_AFTER_UNSPACED = ("could not find expected ':'", "did not find expected key", "mapping values")
"""What the parser says of a line with such a key."""

# By what the parser says is wrong, and while doing what: the message, and the help.
_SAID: dict[tuple[str, str], tuple[str, str | None]] = {
    ("block sequence entries are not allowed in this context", ""): (
        "a '-' cannot start an item here",
        "the items of a list start on lines of their own",
    ),
    ("mapping keys are not allowed in this context", ""): ("a '?' cannot start a key here", _QUOTE),
    ("could not find expected ':'", "while scanning a simple key"): (
        "a key without ':'",
        "write `key: value`; an item of a list starts with '- '",
    ),
    ("did not find expected ',' or ']'", "while parsing a flow sequence"): (
        "',' or ']' is needed here, to go on with the list or to close it",
        None,
    ),
    ("did not find expected ',' or '}'", "while parsing a flow mapping"): (
        "',' or '}' is needed here, to go on with the mapping or to close it",
        None,
    ),
    ("found unexpected ':'", "while scanning a plain scalar"): (
        "a ':' in the middle of a text",
        "write `key: value` with a space, or put quotes around the text",
    ),
    ("found unknown escape character", "while parsing a quoted scalar"): (
        "'\\' with a letter that means nothing after it",
        "write \\\\ for a backslash, or use single quotes",
    ),
    ("found invalid Unicode character escape code", "while parsing a quoted scalar"): (
        "an escape that stands for no character",
        "write \\\\ for a backslash, or use single quotes",
    ),
    ("did not find expected node content", "while parsing a flow node"): (
        "a value is needed here",
        "remove a ',' too many, or close the bracket",
    ),
    ("did not find expected node content", "while parsing a block node"): (
        "a bracket closes here that nothing opened",
        "remove it, or put quotes around the text",
    ),
    ("found character that cannot start any token", "while scanning for the next token"): (
        "a text cannot start with this character",
        _QUOTE,
    ),
    ("did not find expected comment or line break", "while scanning a block scalar"): (
        "a text after | or > starts on the next line",
        None,
    ),
    ("did not find expected <document start>", ""): ("the spec ended before this", "remove it"),
    ("did not find expected alphabetic or numeric character", "while scanning an anchor"): _ANCHOR,
    ("did not find expected alphabetic or numeric character", "while scanning an alias"): _ALIAS,
    ("did not find expected tag URI", "while parsing a tag"): _TAG,
    ("found undefined tag handle", "while parsing a node"): _TAG,
}


def explain(source: Source, error: yaml.YAMLError) -> ArchspecError:
    """The diagnostic of a text that is not YAML, where the parser gave up or, if it tells, where the mistake began."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return fail("yaml-syntax", f"{source.name} is not YAML: {str(error).partition(chr(10))[0]}")
    problem, context = error.problem or "bad syntax", error.context or ""
    mark, begin = error.problem_mark, error.context_mark
    unclosed = begin is not None and problem.startswith(("did not find expected ','", "found unexpected"))
    if begin is not None and "simple key" in context:
        mark = begin
    elif unclosed and (begin.line != mark.line or "quoted" in context):
        return _failure(source, begin, f"this {'quote' if 'quoted' in context else 'bracket'} is never closed")
    number, column = _place(source, mark)
    line = source.lines[number]
    before, here = line[:column], line[column : column + 1]
    if "tab character" in problem or here == "\t" or (before.isspace() and "\t" in before):
        return _failure(source, mark, "a tab where YAML allows spaces alone", "indent with spaces")
    if line.startswith("%"):
        return _failure(source, mark, "YAML directives are not part of the language", "remove the line")
    key = _UNSPACED.match(line)
    if key is not None and problem.startswith(_AFTER_UNSPACED):
        return _failure(source, mark, "a ':' without a space after it", "write `key: value`", back=column - key.end())
    if problem.startswith("mapping values"):
        return _stray_colon(source, mark, before)
    if problem in ("did not find expected key", "did not find expected '-' indicator"):
        return _failure(source, mark, *_misaligned(problem, before, here))
    if problem.startswith("did not find expected ','") and here == ":":
        message = "a second ':' without a ',' between"
        return _failure(source, mark, message, "write a ',' before the key, or quotes around a text with ': ' in it")
    if problem.startswith("did not find expected ','") and here in ("[", "{"):
        return _failure(source, mark, "a bracket in the middle of a text", "put quotes around the text")
    return _failure(source, mark, *_SAID.get((problem, context), (f"{problem} {context}".rstrip(), None)))


def _stray_colon(source: Source, mark: yaml.Mark, before: str) -> ArchspecError:
    if ": " in before:
        return _failure(source, mark, "a second ':' in one line", "put quotes around a text with ': ' in it")
    back = len(before.lstrip(" -"))
    message = "a key cannot start here, because the value above goes on to this line"
    return _failure(source, mark, message, _ALIGN, back=back)


def _misaligned(problem: str, before: str, here: str) -> tuple[str, str]:
    if before.strip(" -"):
        return _VALUE_OVER
    if "'-'" in problem:
        return "a key cannot stand here, among the items of the list above", f"start it with '- ', or {_ALIGN}"
    if here == "-":
        return "an item of a list cannot stand here, among the keys above", "indent it under the key it belongs to"
    return "the line is indented like nothing above it", _ALIGN


def _failure(source: Source, mark: yaml.Mark, message: str, help: str | None = None, *, back: int = 0) -> ArchspecError:
    """An error about the character at a mark, or so many characters before it."""
    number, column = _place(source, mark)
    span = Span(source, number + 1, column + 1 - back, number + 1, column + 2 - back)
    return fail("yaml-syntax", message, span, help=help)


def _place(source: Source, mark: yaml.Mark) -> tuple[int, int]:
    """The line and the column of a mark, counted from 0, inside the text: the parser's end is one past it."""
    number = min(mark.line, len(source.lines) - 1)
    return number, min(mark.column, len(source.lines[number]))
