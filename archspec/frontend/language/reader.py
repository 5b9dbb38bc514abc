"""Readers of YAML trees: they return typed values and collect all errors."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from archspec.diagnostics import ArchspecError, Diagnostic, Note, Replacement, Span, did_you_mean, fail, nearest
from archspec.frontend.expressions.values import show
from archspec.frontend.foreign_names import key_help, key_meant, with_space
from archspec.frontend.limits import MAX_ERRORS
from archspec.frontend.yaml.scalars import yes_or_no
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar
from archspec.frozen import field, frozen

T = TypeVar("T")

Schema = Mapping[str, object]


@frozen
class Key:
    """A key of a mapping: how its value is read, what it means, and its JSON Schema."""

    read: Callable[[Any, Tree], Any]
    doc: str
    schema: Schema = field(default_factory=dict)
    required: bool = False


Keys = Mapping[str, Key]


class Reader:
    """Reads YAML and collects diagnostics: a value that cannot be read is None, and reading continues."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    @property
    def has_too_many_errors(self) -> bool:
        """Whether there are so many errors that the rest is left unread."""
        return len(self.diagnostics) >= MAX_ERRORS

    def note(
        self, code: str, message: str, span: Span, *, notes: tuple[Note, ...] = (), help: str | None = None
    ) -> None:
        if not self.has_too_many_errors:
            self.diagnostics.append(Diagnostic(code, message, span, notes, help))

    def attempt(self, read: Callable[[Tree], T], tree: Tree) -> T | None:
        """The result of `read`, or None if it fails; its errors are collected."""
        if self.has_too_many_errors:
            return None
        try:
            return read(tree)
        except ArchspecError as error:
            self.diagnostics += error.diagnostics
            return None

    def guess(self, read: Callable[[Tree], T], tree: Tree) -> T | None:
        """The result of `read`, or None if it fails; its errors are not collected."""
        try:
            return read(tree)
        except ArchspecError:
            return None

    def keys(self, what: str, tree: Tree, keys: Keys, *, others: Iterable[str] = ()) -> dict[str, Any]:
        """The values of a mapping that takes `keys`; unknown ones are errors, unless among `others`."""
        values: dict[str, Any] = {}
        meant: list[str | None] = []
        entries, others = self.mapping(what, tree), dict.fromkeys(others)
        for scalar, item in entries:
            if self.has_too_many_errors:
                break
            if scalar.text in keys:
                value = self.attempt(partial(keys[scalar.text].read, self), item)
                if value is not None:
                    values[scalar.text] = value
            elif scalar.text not in others:
                known = [*keys, *others]
                self.unknown_key(what, scalar, known)
                meant.append(key_meant(scalar.text, known) or nearest(scalar.text, known))
        missing = [name for name, key in keys.items() if key.required and name not in values]
        if missing and is_complete(tree):
            self.note_missing(what, tree, keys, {*missing} - {*meant} - {scalar.text for scalar, _ in entries})
        return values

    def note_missing(self, what: str, tree: Tree, keys: Keys, missing: Container[str]) -> None:
        names = [name for name in keys if name in missing]
        if names:
            listed = " and ".join(f"'{name}'" for name in names)
            help = "; ".join(f"{name}: {keys[name].doc}" for name in names)
            self.note("missing-key", f"{what} needs {listed}", tree.span, help=help)

    def unknown_key(self, what: str, key: YamlScalar, known: Iterable[str]) -> None:
        self.note("unknown-key", f"{what} has no key '{key.text}'", key.span, help=key_help(key.text, known))

    def mapping(self, what: str, tree: Tree) -> tuple[tuple[YamlScalar, Tree], ...]:
        if isinstance(tree, YamlMapping):
            return tree.entries
        raise fail("wrong-type", f"{what} is a mapping, not {describe(tree)}", tree.span, help=_as_mapping(tree))

    def list(self, what: str, tree: Tree) -> tuple[Tree, ...]:
        if isinstance(tree, YamlList):
            return tree.items
        raise fail("wrong-type", f"{what} is a list, not {describe(tree)}", tree.span, help=_as_list(tree))

    def scalar(self, what: str, tree: Tree) -> YamlScalar:
        if isinstance(tree, YamlScalar) and tree.value is not None:
            return tree
        raise fail("wrong-type", f"{what} is one word or text, not {describe(tree)}", tree.span)

    def text(self, what: str, tree: Tree) -> str:
        scalar = self.scalar(what, tree)
        if not isinstance(scalar.value, str):
            raise fail(
                "wrong-type",
                f"{what} is text, not {describe(tree)}",
                tree.span,
                help=Replacement.of(f'write it as "{scalar.text}"', scalar.text, f'"{scalar.text}"'),
            )
        return scalar.text

    def flag(self, what: str, tree: Tree) -> bool:
        if isinstance(tree, YamlScalar) and isinstance(tree.value, bool):
            return tree.value
        help = yes_or_no(tree.text) if isinstance(tree, YamlScalar) else None
        raise fail("wrong-type", f"{what} is true or false, not {describe(tree)}", tree.span, help=help)

    def choice(self, what: str, tree: Tree, words: Iterable[str]) -> str:
        known = list(words)
        text = self.text(what, tree)
        if text not in known:
            help = did_you_mean(text, known)
            raise fail("wrong-value", f"{what} cannot be '{text}'", tree.span, help=help)
        return text


def named(
    what: str, read: Callable[[Reader, YamlScalar, Tree], T], invalid: Callable[[YamlScalar], T] | None = None
) -> Callable[[Reader, Tree], dict[str, T]]:
    """A reader of a mapping from names: `read` reads each value, and `invalid` replaces one that cannot be read."""

    def read_all(reader: Reader, tree: Tree) -> dict[str, T]:
        values: dict[str, T] = {}
        for key, item in reader.mapping(f"'{what}'", tree):
            value = reader.attempt(partial(read, reader, key), item)
            if value is not None:
                values[key.text] = value
            elif invalid is not None:
                values[key.text] = invalid(key)
        return values

    return read_all


def describe(tree: Tree) -> str:
    """The kind of a tree, as messages name it."""
    if isinstance(tree, YamlList):
        return "a list" if tree.items else "an empty list"
    if isinstance(tree, YamlMapping):
        return "a mapping" if tree.entries else "an empty mapping"
    if tree.value is None:
        return "nothing"
    return f"the text {show(tree.text)}" if isinstance(tree.value, str) else tree.text


def _as_mapping(tree: Tree) -> str:
    """The help where a mapping is expected."""
    if isinstance(tree, YamlList) and tree.items and all(isinstance(item, YamlMapping) for item in tree.items):
        return "remove the dashes"
    return spaced(tree) or "write {name: value, ...}, or one `name: value` per line"


def spaced(tree: Tree) -> str | None:
    """The help for a word with no space after its colon, which would make it a key."""
    return with_space(tree.text) if isinstance(tree, YamlScalar) else None


def _as_list(tree: Tree) -> str:
    """The help where a list is expected."""
    if isinstance(tree, YamlMapping) and tree.entries:
        return f"start each item with a dash: - {tree.entries[0][0].text}: ..."
    only = (
        tree.text
        if isinstance(tree, YamlScalar) and isinstance(tree.value, str) and tree.text.isidentifier()
        else "..."
    )
    return f"write [{only}], or one item per line, each with a leading dash"


def is_complete(tree: Tree) -> bool:
    """Whether a tree is a mapping without broken entries."""
    return isinstance(tree, YamlMapping) and tree.complete


def all_read(tree: Tree, values: Mapping[str, object], others: Iterable[str] = ()) -> bool:
    """Whether every key of a mapping could be read: otherwise the others would cause misleading errors."""
    if not isinstance(tree, YamlMapping) or not tree.complete:
        return False
    others = frozenset(others)
    return all(scalar.text in values or scalar.text in others for scalar, _ in tree.entries)
