"""YAML with positions: a tree of scalars, lists and mappings, each with its span.

The tree is composed from the parser's events, so that limits are checked before anything is built.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeGuard

import yaml

from archspec.diagnostics import ArchspecError, Diagnostic, Note, Replacement, Source, Span, fail
from archspec.frontend.limits import MAX_ALIASED, MAX_BYTES, MAX_ERRORS, MAX_NESTING, MAX_NODES
from archspec.frontend.yaml.scalars import ScalarValue, resolve
from archspec.frontend.yaml.syntax_errors import explain
from archspec.frontend.yaml.tabs import without_tabs
from archspec.frozen import frozen, record, replace


@frozen(eq=False)
class YamlScalar:
    """A scalar: its value, and its text as written. `plain` is whether it is unquoted and on one line."""

    value: ScalarValue
    text: str
    plain: bool
    span: Span


@frozen(eq=False)
class YamlList:
    """A sequence."""

    items: tuple[Tree, ...]
    span: Span


@frozen(eq=False)
class YamlMapping:
    """A mapping from text to trees, with the scalar of each key. Keys are unique.

    `complete` is false if entries with an invalid key were reported and left out.
    """

    entries: tuple[tuple[YamlScalar, Tree], ...]
    span: Span
    complete: bool = True

    def get(self, key: str) -> Tree | None:
        return next((tree for scalar, tree in self.entries if scalar.text == key), None)


Tree = YamlScalar | YamlList | YamlMapping


def read_file(path: Path) -> Source:
    """The text of a spec.

    Raises:
        ArchspecError: the file cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise fail("unreadable-file", f"cannot read {path}: {reason}") from error
    return decode(str(path), data, path)


def decode(name: str, data: bytes, path: Path | None = None) -> Source:
    """The text of a spec from its bytes, which are those of the file at `path` if it is given.

    Raises:
        ArchspecError: there are too many, or they are not UTF-8; the span points at the first that is not.
    """
    if len(data) > MAX_BYTES:
        raise _too_long(name)
    data = data.removeprefix(BOM_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        span = Source(name, data.decode("utf-8", "replace")).at(len(data[: error.start].decode("utf-8")))
        message = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
        raise fail("not-utf8", message, span, help="save the file as UTF-8") from error
    return _one_source(name, text, path) if len(text) <= _ORDINARY else Source(name, text, path)


_ORDINARY = 2**15
"""The most characters of a text that is cached with its readings."""


@lru_cache(maxsize=64)
def _one_source(name: str, text: str, path: Path | None) -> Source:
    """The one source of an unchanged file, so that the file is read once per process."""
    return Source(name, text, path)


@record
class Used:
    """What the texts of one spec have used of the limits, together."""

    characters: int = 0
    nodes: int = 0
    aliased: int = 0

    def take(self, nodes: int, aliased: int) -> bool:
        """Add to what is used, unless that exceeds a limit; return whether it was added."""
        if self.nodes + nodes > MAX_NODES or self.aliased + aliased > MAX_ALIASED:
            return False
        self.nodes += nodes
        self.aliased += aliased
        return True


@frozen
class _Parsed:
    """A tree without errors, and what its text used of the limits."""

    tree: Tree
    nodes: int
    aliased: int


def parse(source: Source, used: Used | None = None) -> tuple[Tree, tuple[Diagnostic, ...]]:
    """The tree of the one document in `source`, and the errors that do not prevent a tree.

    `used` is what the texts of the same spec have used of the limits; this text is added to it.

    Raises:
        ArchspecError: the syntax is wrong, a limit is exceeded, or the file is empty.
    """
    used = Used() if used is None else used
    used.characters += len(source.text)
    if used.characters > MAX_BYTES:
        raise _too_long(source.name)
    known = source.reading("tree")
    if known is not None and used.take(known.nodes, known.aliased):
        return known.tree, ()
    nodes, aliased = used.nodes, used.aliased
    is_first = not nodes
    if is_first and (failure := source.reading("failure")) is not None:
        raise ArchspecError(failure)
    try:
        tree, faults = _parse(source, used)
    except ArchspecError as error:
        if is_first:
            source.keep("failure", error.diagnostics)
        raise
    if not faults:
        source.keep("tree", _Parsed(tree, used.nodes - nodes, used.aliased - aliased))
    return tree, faults


def _parse(source: Source, used: Used) -> tuple[Tree, tuple[Diagnostic, ...]]:
    if strange := yaml.reader.Reader.NON_PRINTABLE.search(source.text) or _BYTE_ORDER_MARK.search(source.text):
        message = f"the character {strange.group()!a} is not allowed in YAML"
        raise fail("bad-character", message, source.at(strange.start()), help="remove it")
    at_start = replace(used)
    try:
        return _compose(source, source.text, used)
    except yaml.YAMLError as error:
        text = without_tabs(source.text) if "\t" in source.text else source.text
        if text == source.text:
            raise explain(source, error) from error
    used.nodes, used.aliased = at_start.nodes, at_start.aliased
    try:
        return _compose(source, text, used)
    except yaml.YAMLError as error:
        raise explain(source, error) from error


def _compose(source: Source, text: str, used: Used) -> tuple[Tree, tuple[Diagnostic, ...]]:
    """The tree of a text that has the lines and columns of `source`.

    Raises:
        YAMLError: the syntax is wrong.
    """
    composer = _Composer(source, used)
    parser = _LOADER(text)
    try:
        return composer.document(iter(parser.get_event, None)), tuple(composer.diagnostics)
    finally:
        parser.dispose()


def _too_long(name: str) -> ArchspecError:
    return fail(
        "too-large",
        f"{name} is larger than {MAX_BYTES // 2**20} MiB, the most a spec may be with all it imports",
        help="use `repeat` for repeated layers",
    )


_BYTE_ORDER_MARK = re.compile("\ufeff")

# libyaml if PyYAML was built with it: the same events, ten times faster.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_Events = Iterator[yaml.Event]


@frozen
class _Anchored:
    """The tree of an anchor, its number of nodes, and how deep they are nested."""

    tree: Tree
    nodes: int
    height: int


def _is_bare_number(key: Tree, value: Tree) -> TypeGuard[YamlScalar]:
    """Whether an entry of a mapping is a number alone, as the second 3 of {kernel: 3,3}."""
    is_number = isinstance(key, YamlScalar) and isinstance(key.value, int | float) and not isinstance(key.value, bool)
    return is_number and isinstance(value, YamlScalar) and value.value is None


class _Composer:
    """Composes the parser's events into a tree, within the limits."""

    def __init__(self, source: Source, used: Used) -> None:
        self.source = source
        self.used = used
        self.diagnostics: list[Diagnostic] = []
        self.deepest = 0
        self.anchors: dict[str, _Anchored] = {}
        self.open_anchors: set[str] = set()

    def document(self, events: _Events) -> Tree:
        next(events)  # the start of the stream
        start = next(events)
        if isinstance(start, yaml.StreamEndEvent):
            raise self.empty()
        tree = self.tree(next(events), events, 0)
        next(events)  # the end of the document
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise fail(
                "several-documents",
                "a spec is a single YAML document, but a second one starts here",
                self.span(after),
                help="use one file per spec, or variants for a family of networks",
            )
        if isinstance(tree, YamlScalar) and tree.plain and not tree.text:  # its position may be past the end
            raise self.empty()
        return tree

    def empty(self) -> ArchspecError:
        return fail("empty-spec", f"{self.source.name} is empty", help="a spec starts with `archspec: 1`")

    def tree(self, event: yaml.Event, events: _Events, depth: int) -> Tree:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, depth)
        self.used.nodes += 1
        if self.used.nodes > MAX_NODES:
            raise self.too_many(event, f"a spec has at most {MAX_NODES:,} scalars, lists and mappings")
        if depth > self.deepest:
            self.reach(event, depth)
        if event.tag and event.tag != "!":
            self.refuse_tag(event)
        if event.anchor:
            return self.anchored(event, events, depth)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        return self.node(event, events, depth)

    def reach(self, event: yaml.Event, depth: int) -> None:
        self.deepest = max(self.deepest, depth)
        if depth > MAX_NESTING:
            raise fail("too-deep", f"lists and mappings are nested more than {MAX_NESTING} deep", self.span(event))

    def anchored(self, event: yaml.NodeEvent, events: _Events, depth: int) -> Tree:
        nodes, deepest = self.used.nodes, self.deepest
        self.open_anchors.add(event.anchor)
        self.deepest = depth
        tree = self.node(event, events, depth)
        self.anchors[event.anchor] = _Anchored(tree, self.used.nodes - nodes + 1, self.deepest - depth)
        self.open_anchors.discard(event.anchor)
        self.deepest = max(deepest, self.deepest)
        return tree

    def node(self, event: yaml.NodeEvent, events: _Events, depth: int) -> Tree:
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.list(event, events, depth)
        return self.mapping(event, events, depth)

    def scalar(self, event: yaml.ScalarEvent) -> YamlScalar:
        text, first, last = event.value, event.start_mark, event.end_mark
        span = Span(self.source, first.line + 1, first.column + 1, last.line + 1, last.column + 1)
        if event.style:
            return YamlScalar(text, text, False, span)
        return YamlScalar(resolve(text), text, span.line == span.end_line, span)

    def list(self, start: yaml.Event, events: _Events, depth: int) -> YamlList:
        items: list[Tree] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self.tree(event, events, depth + 1))
        return YamlList(tuple(items), self.span(start, event))

    def mapping(self, start: yaml.Event, events: _Events, depth: int) -> YamlMapping:
        entries: dict[str, tuple[YamlScalar, Tree]] = {}
        written = 0
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self.tree(event, events, depth + 1)
            value = self.tree(next(events), events, depth + 1)
            written += 1
            if not isinstance(key, YamlScalar) or not isinstance(key.value, str):
                self.refuse_key(key, value, [tree for _, tree in entries.values()][-1:])
            elif key.text == "<<" and key.plain:
                self.note(
                    "merge-key",
                    "merge keys are not part of the language",
                    key.span,
                    help="repeat the entries, or define a block",
                )
            elif key.text in entries:
                self.note(
                    "duplicate-key",
                    f"'{key.text}' is written twice in one mapping",
                    key.span,
                    notes=(("first", f"line {entries[key.text][0].span.line}"),),
                    help="remove one of them",
                )
            else:
                entries[key.text] = (key, value)
        return YamlMapping(tuple(entries.values()), self.span(start, event), len(entries) == written)

    def alias(self, event: yaml.AliasEvent, depth: int) -> Tree:
        if event.anchor in self.open_anchors:
            raise fail("bad-alias", f"'*{event.anchor}' refers to itself", self.span(event))
        if event.anchor not in self.anchors:
            raise fail(
                "bad-alias",
                f"undefined alias '*{event.anchor}': there is no '&{event.anchor}' above it",
                self.span(event),
                help="quote a text that starts with *",
            )
        anchored = self.anchors[event.anchor]
        self.used.nodes += anchored.nodes
        self.used.aliased += anchored.nodes
        if self.used.aliased > MAX_ALIASED:
            raise self.too_many(event, f"aliases expand to more than {MAX_ALIASED:,} scalars, lists and mappings")
        self.reach(event, depth + anchored.height)
        return anchored.tree

    def too_many(self, event: yaml.Event, message: str) -> ArchspecError:
        return fail("too-large", message, self.span(event), help="use `repeat` for repeated layers")

    def refuse_key(self, key: Tree, value: Tree, before: Sequence[Tree]) -> None:
        """Report a key that is not text; `before` has the value of the entry before it, if there is one."""
        first = before[0] if before else None
        if _is_bare_number(key, value) and isinstance(first, YamlScalar) and isinstance(first.value, int | float):
            help = f"write a list in square brackets: [{first.text}, {key.text}]"
            self.note("non-text-key", f"the key {key.text} is not text", key.span, help=help)
        elif not isinstance(key, YamlScalar):
            self.note("non-text-key", "a key is text, not a list or a mapping", key.span)
        elif key.value is None:
            self.note("non-text-key", "a key is text, not empty", key.span)
        else:
            help = Replacement.of(f'write it as "{key.text}"', key.text, f'"{key.text}"')
            self.note("non-text-key", f"the key {key.text} is not text", key.span, help=help)

    def refuse_tag(self, event: yaml.NodeEvent) -> None:
        shown = event.tag.replace("tag:yaml.org,2002:", "!!")
        help = "remove it; quote a number to make it text"
        self.note("yaml-tag", f"the tag {shown} is not part of the language", self.span(event), help=help)

    def note(
        self, code: str, message: str, span: Span, *, notes: tuple[Note, ...] = (), help: str | None = None
    ) -> None:
        if len(self.diagnostics) < MAX_ERRORS:
            self.diagnostics.append(Diagnostic(code, message, span, notes, help))

    def span(self, start: yaml.Event, end: yaml.Event | None = None) -> Span:
        first, last = start.start_mark, (end or start).end_mark
        return Span(self.source, first.line + 1, first.column + 1, last.line + 1, last.column + 1)
