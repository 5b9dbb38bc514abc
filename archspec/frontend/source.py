"""YAML with positions: text becomes a tree of scalars, lists and mappings, each knowing where it stands.

The tree is composed from the parser's events, so the limits hold before anything is built. Scalars mean what YAML 1.2
says: only `true`, `false`, `null` and numbers are special; `no`, `on`, `1:30` are text and `010` is ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from archspec.diagnostics import Diagnostic, Source, Span, fail

MAX_BYTES = 16 * 2**20
MAX_DEPTH = 64
MAX_NODES = 1_000_000
MAX_ALIASES = 1_000

Constant = str | int | float | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A word: its value, and its text as written. `plain` says whether it stands unquoted on one line."""

    value: Constant
    text: str
    plain: bool
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class List:
    """A sequence."""

    items: tuple[Tree, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """A mapping from text to trees, with the scalar each key was written as. Keys are unique."""

    entries: tuple[tuple[Scalar, Tree], ...]
    span: Span

    def get(self, key: str) -> Tree | None:
        return next((tree for scalar, tree in self.entries if scalar.text == key), None)


Tree = Scalar | List | Mapping


def read_file(path: Path) -> Source:
    """The text of a spec.

    Raises:
        ArchspecError: the file cannot be read, is too large, or is not UTF-8.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise fail("too-large", f"{path} has {size:,} bytes; a spec has at most {MAX_BYTES:,}")
        data = path.read_bytes()
    except OSError as error:
        raise fail("unreadable-file", f"cannot read {path}: {error.strerror or error}") from error
    return decode(str(path), data)


def decode(name: str, data: bytes) -> Source:
    """The text of a spec from its bytes.

    Raises:
        ArchspecError: the bytes are not UTF-8; the span points at the first that is not.
    """
    try:
        return Source(name, data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n"))
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
        source = Source(name, data.decode("utf-8", "replace"))
        span = Span(source, line, column, line, column + 1)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
        raise fail("not-utf8", message, span, help="save the file as UTF-8") from error


def parse(source: Source) -> tuple[Tree, tuple[Diagnostic, ...]]:
    """The tree of the one document in `source`, and the mistakes that left a tree to go on with.

    Raises:
        ArchspecError: there is no tree: bad syntax, a limit passed, an empty file.
    """
    if len(source.text) > MAX_BYTES:
        raise fail("too-large", f"{source.name} has {len(source.text):,} characters; a spec has at most {MAX_BYTES:,}")
    if strange := _UNPRINTABLE.search(source.text):
        line = source.text.count("\n", 0, strange.start()) + 1
        column = strange.start() - source.text.rfind("\n", 0, strange.start())
        span = Span(source, line, column, line, column + 1)
        raise fail("bad-character", f"the character {strange.group()!a} cannot stand in YAML", span, help="remove it")
    composer = _Composer(source)
    try:
        tree = composer.document(yaml.parse(source.text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise composer.syntax_error(error) from error
    except (yaml.YAMLError, ValueError) as error:
        raise fail("yaml-syntax", f"{source.name} is not YAML: {_first_line(error)}") from error
    return tree, tuple(composer.diagnostics)


_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")

# libyaml where PyYAML was built with it: the same events, ten times sooner.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Composer:
    """Folds the parser's events into a tree, holding the limits."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self.nodes = 0
        self.aliases = 0
        self.anchors: dict[str, tuple[Tree, int]] = {}
        self.open_anchors: set[str] = set()

    def document(self, events: Iterator[yaml.Event]) -> Tree:
        next(events)  # the start of the stream
        start = next(events)
        if isinstance(start, yaml.StreamEndEvent):
            raise fail("empty-spec", f"{self.source.name} is empty", help="a spec starts with `archspec: 1`")
        tree = self.tree(next(events), events, 0)
        next(events)  # the end of the document
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self.refuse(after, "several-documents", "a spec is one YAML document, and here begins another")
        return tree

    def tree(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Tree:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        assert isinstance(event, yaml.NodeEvent)
        if depth > MAX_DEPTH:
            raise self.refuse(event, "too-deep", f"lists and mappings are nested more than {MAX_DEPTH} deep")
        first = self.nodes
        self.count(event, 1)
        if event.anchor:
            self.open_anchors.add(event.anchor)
        if isinstance(event, yaml.ScalarEvent):
            tree: Tree = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self.no_tag(event)
            tree = self.list(event, events, depth)
        else:
            assert isinstance(event, yaml.MappingStartEvent)
            self.no_tag(event)
            tree = self.mapping(event, events, depth)
        if event.anchor:
            self.open_anchors.discard(event.anchor)
            self.anchors[event.anchor] = (tree, self.nodes - first)
        return tree

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        span = self.span(event)
        unquoted = not event.style
        plain = unquoted and span.line == span.end_line
        if event.tag and event.tag != "!":
            self.no_tag(event)
        value = resolve(event.value) if unquoted else event.value
        return Scalar(value, event.value, plain, span)

    def list(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> List:
        items: list[Tree] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self.tree(event, events, depth + 1))
        return List(tuple(items), self.span(start, event))

    def mapping(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Mapping:
        entries: list[tuple[Scalar, Tree]] = []
        seen: dict[str, Scalar] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self.tree(event, events, depth + 1)
            value = self.tree(next(events), events, depth + 1)
            if not isinstance(key, Scalar) or not isinstance(key.value, str):
                self.note_key(key)
            elif key.text == "<<" and key.plain:
                self.note(
                    "merge-key",
                    "merge keys are not part of the language",
                    key.span,
                    help="write the entries out, or make a block of what repeats",
                )
            elif before := seen.get(key.text):
                self.note(
                    "duplicate-key",
                    f"'{key.text}' is written twice in one mapping",
                    key.span,
                    notes=(("first", f"line {before.span.line}"),),
                    help="remove one of them",
                )
            else:
                seen[key.text] = key
                entries.append((key, value))
        return Mapping(tuple(entries), self.span(start, event))

    def alias(self, event: yaml.AliasEvent) -> Tree:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise self.refuse(event, "too-large", f"a spec has at most {MAX_ALIASES:,} aliases")
        if event.anchor in self.open_anchors:
            raise self.refuse(event, "bad-alias", f"'*{event.anchor}' contains itself")
        if event.anchor not in self.anchors:
            raise self.refuse(event, "bad-alias", f"'*{event.anchor}' names no anchor above it")
        tree, size = self.anchors[event.anchor]
        self.count(event, size)
        return tree

    def count(self, event: yaml.Event, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise self.refuse(
                event,
                "too-large",
                f"a spec has at most {MAX_NODES:,} YAML nodes, aliases written out",
                help="say `repeat` for what comes many times",
            )

    def note_key(self, key: Tree) -> None:
        if isinstance(key, Scalar):
            self.note("non-text-key", f"the key {key.text} is not text", key.span, help=f'write it as "{key.text}"')
        else:
            self.note("non-text-key", "a key is text, not a list or a mapping", key.span)

    def no_tag(self, event: yaml.Event) -> None:
        tag: str | None = getattr(event, "tag", None)
        if tag and tag != "!":
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self.note("yaml-tag", f"the tag {shown} is not part of the language", self.span(event), help="remove it")

    def note(
        self, code: str, message: str, span: Span, *, notes: tuple[tuple[str, ...], ...] = (), help: str | None = None
    ) -> None:
        self.diagnostics.append(Diagnostic(code, message, span, notes, help))

    def refuse(self, event: yaml.Event, code: str, message: str, *, help: str | None = None) -> Exception:
        return fail(code, message, self.span(event), help=help)

    def span(self, start: yaml.Event, end: yaml.Event | None = None) -> Span:
        first, last = start.start_mark, (end or start).end_mark
        return Span(self.source, first.line + 1, first.column + 1, last.line + 1, last.column + 1)

    def syntax_error(self, error: yaml.MarkedYAMLError) -> Exception:
        mark = error.problem_mark or error.context_mark
        if mark is None:
            return fail("yaml-syntax", f"{self.source.name} is not YAML: {_first_line(error)}")
        lines = self.source.lines
        line = min(mark.line, len(lines) - 1)
        span = Span(self.source, line + 1, mark.column + 1, line + 1, mark.column + 2)
        problem = error.problem or "bad syntax"
        context = f" {error.context}" if error.context else ""
        help = None
        if "\t" in lines[line][: mark.column + 1]:
            problem, context, help = "a tab where YAML allows spaces alone", "", "indent with spaces"
        elif "mapping values are not allowed" in problem:
            help = "a ': ' inside a value needs quotes, and a key starts on a line of its own"
        return fail("yaml-syntax", f"{problem}{context}", span, help=help)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


_INTEGER = re.compile(r"[-+]?[0-9]+(?:_[0-9]+)*")
_BASED = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Constant] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LONGEST_NUMBER = 40


def resolve(text: str) -> Constant:
    """What an unquoted scalar means, by the core schema of YAML 1.2 and with `_` between digits.

    Numbers that are not finite, or too long to be meant, stay text.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789" or len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return number if abs(number) != float("inf") else text
    return text
