"""What is said of items whose keys stand in the wrong place: beside the op, or without the key they belong under."""

from __future__ import annotations

from collections.abc import Collection, Container

from archspec.diagnostics import ArchspecError, fail, nearest
from archspec.frontend.foreign_names import key_meant
from archspec.frontend.yaml.tree import List, Mapping, Scalar, Tree

Entries = tuple[tuple[Scalar, Tree], ...]


def several_keys(entries: Entries, known: Container[str]) -> ArchspecError:
    """What is said of an item with several keys: which of them is the op, and where the others belong.

    `known` are the ops, blocks and structures.
    """
    (first, under), (second, below), *_ = entries
    meant = next((key for key, _ in entries if key.text in known), None)
    if meant is None and isinstance(under, Scalar) and under.text in known:
        message = f"an item starts with its op, and here '{under.text}' stands under '{first.text}'"
        return fail("wrong-type", message, first.span, help=f"write - {under.text}: {{{second.text}: ...}}")
    if meant is first and second.text in known and (is_empty(below) or not is_empty(under)):
        message = f"an item is one op, and here '{second.text}' stands beside '{first.text}'"
        return fail("wrong-type", message, second.span, help=f"start it with a dash of its own: - {second.text}")
    key, extra = (first, second) if meant is None or meant is first else (meant, first)
    message = f"an item is one op with its attributes under it, and here '{extra.text}' stands beside '{key.text}'"
    help = f"indent what belongs to '{key.text}' further than it, or write - {key.text}: {{{extra.text}: ...}}"
    return fail("wrong-type", message, extra.span, help=help)


def bare_paths(tree: Mapping, keys: Collection[str]) -> ArchspecError | None:
    """What is said of a `parallel` whose paths stand where its `keys` do; None where it is none of these."""
    if any(tree.get(key) for key in ("paths", "over", "layers")):
        return None
    paths = [key for key, item in tree.entries if key.text not in keys and isinstance(item, List)]
    if not paths or any(key_meant(path.text, keys) or nearest(path.text, keys) == "paths" for path in paths):
        return None
    named = ", ".join(f"{path.text}: [...]" for path in paths)
    message = f"the paths of 'parallel' stand under 'paths', and here '{paths[0].text}' does not"
    return fail("unknown-key", message, paths[0].span, help=f"write - parallel: {{paths: {{{named}}}}}")


def is_empty(tree: Tree) -> bool:
    """Whether nothing stands there."""
    return isinstance(tree, Scalar) and tree.value is None
