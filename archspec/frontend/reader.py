"""Reading trees: the typed questions the language asks of YAML, collecting every mistake on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from archspec.diagnostics import ArchspecError, Diagnostic, Note, Span, did_you_mean, fail
from archspec.frontend.source import List, Scalar, Tree
from archspec.frontend.source import Mapping as MappingTree

T = TypeVar("T")

Schema = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a mapping: how its value is read, what it means, and its JSON Schema."""

    read: Callable[[Any, Tree], Any]
    doc: str
    schema: Schema = field(default_factory=dict)
    required: bool = False


Keys = Mapping[str, Key]


class Reader:
    """Collects diagnostics; a reading that fails gives None and the others go on."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def note(
        self, code: str, message: str, span: Span, *, notes: tuple[Note, ...] = (), help: str | None = None
    ) -> None:
        self.diagnostics.append(Diagnostic(code, message, span, notes, help))

    def attempt(self, read: Callable[[Tree], T], tree: Tree) -> T | None:
        """What `read` makes of `tree`, or None with its mistakes noted."""
        try:
            return read(tree)
        except ArchspecError as error:
            self.diagnostics += error.diagnostics
            return None

    def keys(self, what: str, tree: Tree, keys: Keys, *, others: Iterable[str] = ()) -> dict[str, Any]:
        """The values of a mapping that takes `keys`; unknown ones are mistakes, unless among `others`."""
        mapping = self.mapping(what, tree)
        values: dict[str, Any] = {}
        for scalar, item in mapping:
            if scalar.text in keys:
                value = self.attempt(partial(keys[scalar.text].read, self), item)
                if value is not None:
                    values[scalar.text] = value
            elif scalar.text not in others:
                self.unknown_key(what, scalar, [*keys, *others])
        written = {scalar.text for scalar, _ in mapping}
        missing = [name for name, key in keys.items() if key.required and name not in written]
        for name in missing:
            self.note("missing-key", f"{what} needs '{name}'", tree.span, help=f"{name}: {keys[name].doc}")
        return values

    def unknown_key(self, what: str, key: Scalar, known: Iterable[str]) -> None:
        self.note("unknown-key", f"{what} has no key '{key.text}'", key.span, help=did_you_mean(key.text, known))

    def mapping(self, what: str, tree: Tree) -> tuple[tuple[Scalar, Tree], ...]:
        if isinstance(tree, MappingTree):
            return tree.entries
        raise fail("wrong-type", f"{what} is a mapping, not {describe(tree)}", tree.span)

    def list(self, what: str, tree: Tree) -> tuple[Tree, ...]:
        if isinstance(tree, List):
            return tree.items
        raise fail("wrong-type", f"{what} is a list, not {describe(tree)}", tree.span)

    def scalar(self, what: str, tree: Tree) -> Scalar:
        if isinstance(tree, Scalar) and tree.value is not None:
            return tree
        raise fail("wrong-type", f"{what} is one word or text, not {describe(tree)}", tree.span)

    def text(self, what: str, tree: Tree) -> str:
        scalar = self.scalar(what, tree)
        if not isinstance(scalar.value, str):
            raise fail(
                "wrong-type", f"{what} is text, not {describe(tree)}", tree.span, help=f'write it as "{scalar.text}"'
            )
        return scalar.text

    def flag(self, what: str, tree: Tree) -> bool:
        if isinstance(tree, Scalar) and isinstance(tree.value, bool):
            return tree.value
        help = yes_or_no(tree)
        raise fail("wrong-type", f"{what} is true or false, not {describe(tree)}", tree.span, help=help)

    def choice(self, what: str, tree: Tree, words: Iterable[str]) -> str:
        known = list(words)
        text = self.text(what, tree)
        if text not in known:
            help = did_you_mean(text, known)
            raise fail("wrong-value", f"{what} cannot be '{text}'", tree.span, help=help)
        return text


def describe(tree: Tree) -> str:
    """What stands there, as a message calls it."""
    if isinstance(tree, List):
        return "a list"
    if isinstance(tree, MappingTree):
        return "a mapping"
    if tree.value is None:
        return "nothing"
    if isinstance(tree.value, str):
        return f"the text '{tree.text}'"
    return tree.text


def yes_or_no(tree: Tree) -> str | None:
    """The help for words YAML 1.1 took for true and false."""
    if isinstance(tree, Scalar) and isinstance(tree.value, str):
        meant = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
        if word := meant.get(tree.text.lower()):
            return f"'{tree.text}' is text in YAML 1.2; write {word}"
    return None
