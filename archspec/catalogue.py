"""The catalogue of the zoo: its networks with their tags and facts, and the search for them.

Facts are those that the specs expect, so that a list of the zoo builds no network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from archspec import zoo
from archspec.diagnostics import did_you_mean, fail
from archspec.frontend.elaborate.overrides import settings
from archspec.frontend.expressions.values import Data
from archspec.frontend.language import files
from archspec.frontend.language.spec import Spec
from archspec.frontend.yaml import tree as yaml
from archspec.frozen import frozen
from archspec.zoo_tags import MEANINGS, TAGS


@frozen
class Entry:
    """A network of the zoo: its name, its file, what it and its family are, and its facts; None for an unknown one."""

    name: str
    spec: str
    summary: str
    family: str
    tags: tuple[str, ...]
    inputs: Mapping[str, tuple[int, ...]]
    params: int | None
    macs: int | None

    def as_json(self) -> dict[str, Any]:
        inputs = {name: list(sizes) for name, sizes in self.inputs.items()}
        return {
            "name": self.name, "spec": self.spec, "summary": self.summary, "tags": list(self.tags), "inputs": inputs,
            "params": self.params, "macs": self.macs,
        }  # fmt: skip


def entries(group: str = "") -> Iterator[Entry]:
    """The networks of the zoo, or of a group of it."""
    for path in zoo.files(group):
        spec, _ = files.read(yaml.read_file(path), [zoo.folder()])
        assert spec is not None, path
        file = path.relative_to(zoo.folder()).as_posix()
        variants: list[str | None] = [*spec.variants] or [None]
        for variant in variants:
            name = zoo.name_of(path, spec.name, variant or spec.name)
            yield _entry(spec, variant, name, file, TAGS.get(path.stem, ()) if not group else ())


def _entry(spec: Spec, variant: str | None, name: str, file: str, tags: tuple[str, ...]) -> Entry:
    summary = (spec.variants[variant].summary if variant else None) or spec.summary
    chosen = settings(spec, variant)
    inputs = {input: type.sizes for input, type in chosen.inputs.items() if type is not None}
    expected = spec.expect or spec.expect_variants.get(variant or "")
    facts: dict[str, Data] = {}
    for fact in ("params", "macs"):
        if expected is not None and fact in expected.facts:
            facts[fact] = expected.facts[fact].evaluate(chosen.params)
    params, macs = (value if isinstance(value := facts.get(fact), int) else None for fact in ("params", "macs"))
    return Entry(name, file, summary, spec.summary, tags, inputs, params, macs)


def search(text: str) -> list[Entry]:
    """The networks that a text means, ignoring case and signs: by their names, files and tags, else by their summaries.

    `lectures` means the examples of lectures, `parts` those of networks as parts of others, and no text the whole zoo.

    Raises:
        ArchspecError: there is none.
    """
    if text in zoo.GROUPS:
        return list(entries(text))
    known = list(entries())
    wanted = _plain(text)
    tags = {tag for tag, words in MEANINGS.items() if any(_means(wanted, word) for word in (tag, *words))}
    found = [
        entry
        for entry in known
        if not tags.isdisjoint(entry.tags) or any(wanted in _plain(name) for name in (entry.name, entry.spec))
    ]
    found = found or [entry for entry in known if wanted in _plain(f"{entry.summary} {entry.family}")]
    if not found:
        words = [*zoo.GROUPS, *(entry.name for entry in known), *MEANINGS]
        help = did_you_mean(text, words) or f"`archspec list` shows all; tags are {', '.join(MEANINGS)}"
        raise fail("unknown-spec", f"nothing in the zoo is called '{text}'", help=help)
    return found


def _means(wanted: str, word: str) -> bool:
    """Whether a text is a word, or the beginning of one."""
    return wanted == _plain(word) or (len(wanted) >= _BEGINNING and _plain(word).startswith(wanted))


_BEGINNING = 4
"""The fewest letters that a beginning of a tag has."""


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()
