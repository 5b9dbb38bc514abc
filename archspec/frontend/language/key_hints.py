"""Errors of items with misplaced keys: beside the op, or without the key they belong under."""

from __future__ import annotations

from collections.abc import Collection, Container

from archspec.diagnostics import ArchspecError, fail, nearest
from archspec.frontend.foreign_names import key_meant
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar

Entries = tuple[tuple[YamlScalar, Tree], ...]


def several_keys(entries: Entries, known: Container[str]) -> ArchspecError:
    """The error of an item with several keys: which of them is the op, and where the others belong.

    `known` are the ops, blocks and structures.
    """
    (first, under), (second, below), *_ = entries
    meant = next((key for key, _ in entries if key.text in known), None)
    if meant is None and isinstance(under, YamlScalar) and under.text in known:
        message = f"an item starts with its op: '{under.text}' cannot be a value of '{first.text}'"
        return fail("wrong-type", message, first.span, help=f"write - {under.text}: {{{second.text}: ...}}")
    if meant is first and second.text in known and (is_empty(below) or not is_empty(under)):
        message = f"an item is one op, not both '{first.text}' and '{second.text}'"
        return fail("wrong-type", message, second.span, help=f"give it its own dash: - {second.text}")
    key, extra = (first, second) if meant is None or meant is first else (meant, first)
    message = f"'{extra.text}' is at the same level as '{key.text}', but an item has only one key: its op"
    help = f"indent the attributes of '{key.text}' below it, or write - {key.text}: {{{extra.text}: ...}}"
    return fail("wrong-type", message, extra.span, help=help)


def bare_paths(tree: YamlMapping, keys: Collection[str]) -> ArchspecError | None:
    """The error of a `parallel` whose paths are beside its `keys`, not under `paths`; None if it has no such paths."""
    if any(tree.get(key) for key in ("paths", "over", "layers")):
        return None
    paths = [key for key, item in tree.entries if key.text not in keys and isinstance(item, YamlList)]
    if not paths or any(key_meant(path.text, keys) or nearest(path.text, keys) == "paths" for path in paths):
        return None
    named = ", ".join(f"{path.text}: [...]" for path in paths)
    message = f"'parallel' has no key '{paths[0].text}': its paths go under 'paths'"
    return fail("unknown-key", message, paths[0].span, help=f"write - parallel: {{paths: {{{named}}}}}")


def is_empty(tree: Tree) -> bool:
    """Whether the value is null."""
    return isinstance(tree, YamlScalar) and tree.value is None
