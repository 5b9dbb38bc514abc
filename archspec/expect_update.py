"""Writing the facts of a network into the `expect` of its spec: `archspec check --update-expect`.

Facts that are wrong are corrected, and a fingerprint is added where there is none. A spec without `expect` gets one,
with the facts of each of its variants. Everything else stays as it is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Unpack

from archspec.diagnostics import ArchspecError, Diagnostic, Edit, Source
from archspec.edits import edited, extent, inserted
from archspec.expect_check import spelt
from archspec.frontend.yaml import tree as yaml
from archspec.frontend.yaml.scalars import resolve
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar
from archspec.loading import CheckOptions, Compiled, compile_source
from archspec.passes.facts import Facts

_FAILED = "expectation-failed"


def with_facts(
    source: Source, variant: str | None = None, **options: Unpack[CheckOptions]
) -> tuple[str, tuple[Diagnostic, ...]]:
    """The text of a spec with the facts of all its variants, or of one, and the errors that prevent that.

    Facts that are expected of all variants together are updated where they are the same in all.

    Args:
        source: the spec.
        variant: the variant to update; by default all.
        **options: `path` and `plugins` of `load`.

    Raises:
        ArchspecError: there is no such variant.
    """
    first = compile_source(source, variant, **options)
    if first.network is None or first.network.spec is None:
        return source.text, first.errors
    spec = first.network.spec
    shared = spec.expect is not None
    variants: list[str | None] = [variant] if variant and not shared else [*spec.variants] or [None]
    compiled = {name: compile_source(source, name, **options) for name in variants}
    for each in compiled.values():
        if errors := _faults(each):
            return source.text, errors
    tree = yaml.parse(source)[0]
    assert isinstance(tree, YamlMapping)
    expect = tree.get("expect")
    span = None if expect is None else expect.span
    facts = {name: each.network.facts for name, each in compiled.items() if each.network is not None}
    proposed = Counter(edit for each in compiled.values() for error in each.errors for edit in error.edits)
    edits = [edit for edit, count in proposed.items() if count == len(compiled) or not shared]
    text = edited(source, [*edits, *_additions(source, tree, facts, shared=shared)])
    changed = Source(source.name, text, source.path)
    if not _only_expect_differs(tree, changed) or _faults(compile_source(changed, variant, **options)):
        written = "; ".join(f"{name or spec.name}: {{{', '.join(_items(each))}}}" for name, each in facts.items())
        error = Diagnostic(_FAILED, "the facts cannot be written here", span, help=f"write them by hand: {written}")
        return source.text, (error,)
    if len(edits) < len(proposed):
        message = "some facts differ between the variants, so they are not updated"
        names = ", ".join(f"{_key(name)}: {{...}}" for name in spec.variants)
        return text, (Diagnostic(_FAILED, message, span, help=f"write expect: {{{names}}}"),)
    return text, ()


def _faults(compiled: Compiled) -> tuple[Diagnostic, ...]:
    """The errors that are not about expected facts."""
    return tuple(error for error in compiled.errors if error.code != _FAILED)


def _additions(source: Source, tree: YamlMapping, facts: Mapping[str | None, Facts], *, shared: bool) -> Iterator[Edit]:
    """The edits that add what is missing: fingerprints, the entries of variants, or all of `expect`."""
    expect = tree.get("expect")
    if not isinstance(expect, YamlMapping):
        yield from _whole(source, tree, facts)
    elif shared:
        if len(found := {each.fingerprint for each in facts.values()}) == 1:
            yield from _fingerprint(source, expect, found.pop())
    else:
        missing: list[str] = []
        for name, each in facts.items():
            entry = expect.get(name or "")
            if isinstance(entry, YamlMapping):
                yield from _fingerprint(source, entry, each.fingerprint)
            elif entry is None:
                missing.append(_entry(name or "", each))
        if missing:
            yield _added(source, expect, missing)


def _fingerprint(source: Source, entries: YamlMapping, fingerprint: str) -> Iterator[Edit]:
    if entries.get("fingerprint") is None:
        yield _added(source, entries, [f"fingerprint: {fingerprint}"])


def _whole(source: Source, tree: YamlMapping, facts: Mapping[str | None, Facts]) -> Iterator[Edit]:
    """`expect` as the last key of a spec."""
    entries = [item for name, each in facts.items() for item in ([_entry(name, each)] if name else _items(each))]
    if _is_flow(source, tree):
        yield _added(source, tree, [f"expect: {{{', '.join(entries)}}}"])
    else:
        newline = _newline(source)
        indent = " " * (tree.entries[0][0].span.column - 1)
        lines = [f"{indent}expect:", *(f"{indent}  {entry}" for entry in entries), ""]
        if newline * 2 in source.text:
            lines.insert(0, "")
        if not source.text.endswith(newline):
            lines.insert(0, "")
        yield inserted(source, len(source.text), newline.join(lines))


def _entry(variant: str, facts: Facts) -> str:
    return f"{_key(variant)}: {{{', '.join(_items(facts))}}}"


def _items(facts: Facts) -> Iterator[str]:
    """The facts of a network as entries of `expect`."""
    yield f"params: {spelt(facts.total.params)}"
    yield f"macs: {spelt(facts.total.macs)}"
    outputs = {output.name: spelt(output.value.type.sizes) for output in facts.graph.outputs}
    if len(outputs) == 1:
        yield f"output: {next(iter(outputs.values()))}"
    else:
        yield f"outputs: {{{', '.join(f'{_key(name)}: {sizes}' for name, sizes in outputs.items())}}}"
    yield f"fingerprint: {facts.fingerprint}"


def _key(name: str) -> str:
    return name if isinstance(resolve(name), str) else f'"{name}"'


# --- the layout -------------------------------------------------------------------------------------------------------


def _added(source: Source, mapping: YamlMapping, entries: Sequence[str]) -> Edit:
    """The edit that adds entries to a mapping: in its braces, or on lines of their own."""
    if not _is_flow(source, mapping):
        line = source.at(_end(source, mapping)).line
        offset = source.offset(line, len(source.lines[line - 1]) + 1)
        indent = " " * (mapping.entries[0][0].span.column - 1)
        return inserted(source, offset, "".join(f"{_newline(source)}{indent}{entry}" for entry in entries))
    text = ", ".join(entries)
    if mapping.entries:
        return inserted(source, _end(source, mapping.entries[-1][1]), f", {text}")
    start, _ = extent(mapping.span)
    return inserted(source, source.text.index("{", start) + 1, text)


def _end(source: Source, tree: Tree) -> int:
    """The offset of the end of a tree. The parser ends a mapping or a list in lines where the next token starts."""
    if not isinstance(tree, YamlScalar) and not _is_flow(source, tree):
        return _end(source, tree.items[-1] if isinstance(tree, YamlList) else tree.entries[-1][1])
    return len(source.text[: extent(tree.span)[1]].rstrip())


def _is_flow(source: Source, tree: Tree) -> bool:
    """Whether a mapping or a list is in brackets."""
    return _BRACKET.match(source.text, extent(tree.span)[0]) is not None


_BRACKET = re.compile(r"(?:&\S+\s+)?[{\[]")


def _newline(source: Source) -> str:
    """The line break of a text."""
    return "\r\n" if "\r\n" in source.text else "\n"


def _only_expect_differs(tree: YamlMapping, changed: Source) -> bool:
    """Whether a text is a spec with the same keys as `tree`, and the same values of all of them but `expect`."""
    try:
        other, errors = yaml.parse(changed)
    except ArchspecError:
        return False
    if errors or not isinstance(other, YamlMapping):
        return False
    one, two = ({key.text: value for key, value in some.entries if key.text != "expect"} for some in (tree, other))
    return one.keys() == two.keys() and all(_equal(value, two[key]) for key, value in one.items())


def _equal(one: Tree, other: Tree) -> bool:
    """Whether two trees have the same content."""
    match one, other:
        case YamlScalar(), YamlScalar():
            return (one.value, one.text) == (other.value, other.text)
        case YamlList(), YamlList():
            return len(one.items) == len(other.items) and all(map(_equal, one.items, other.items))
        case YamlMapping(), YamlMapping():
            keys, others = ([key.text for key, _ in some.entries] for some in (one, other))
            pairs = zip(one.entries, other.entries, strict=False)
            return keys == others and all(_equal(value, twin) for (_, value), (_, twin) in pairs)
    return False
