"""The table `rename`: names of weights in old checkpoints, and their names in the spec."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from archspec.diagnostics import Source, Span, fail
from archspec.frontend.language.reader import Reader
from archspec.frontend.language.spec import Rename
from archspec.frontend.yaml.tree import Tree, YamlScalar

MOST = 1_000
"""The most rules in a table: each is compared with those above it."""

_OLD = re.compile(r"[^\s.]+(\.[^\s.]+)*")
_NEW = re.compile(r"([A-Za-z0-9_*-]+(\.[A-Za-z0-9_*-]+)*)?")


def renames(reader: Reader, tree: Tree) -> tuple[Rename, ...]:
    """The rules in order: the first that matches a name applies."""
    entries = reader.mapping("'rename'", tree)
    if len(entries) > MOST:
        raise fail("too-large", f"'rename' has {len(entries):,} rules; at most {MOST:,} are allowed", tree.span)
    rules: list[Rename] = []
    for key, item in entries:
        rule = reader.attempt(partial(_rule, reader, key), item)
        if rule is None:
            continue
        above = next((other for other in rules if other.covers(rule.old)), None)
        if above is not None:
            earlier = f"'{'.'.join(above.old)}' on line {above.span.line} matches first"
            message = f"'{key.text}' is never applied: {earlier}"
            reader.note("wrong-rename", message, key.span, help="put the more specific rule first")
        rules.append(rule)
    return tuple(rules)


def _rule(reader: Reader, key: YamlScalar, tree: Tree) -> Rename:
    left_out = isinstance(tree, YamlScalar) and tree.value is None and tree.text != ""
    return rule_of(key.text, None if left_out else reader.text("a new name", tree), key.span, tree.span)


def rules_of(names: Mapping[str, str | None], origin: str) -> tuple[Rename, ...]:
    """The rules of a mapping from old to new names that is not in a spec.

    Args:
        names: the rules; the first that matches a name applies. None leaves a weight out.
        origin: what errors call the mapping.

    Raises:
        ArchspecError: a name is not valid, or a rule changes nothing.
    """
    rules: list[Rename] = []
    for old, new in names.items():
        span = Source(origin, f"{old}={new}").at(0)
        if not isinstance(old, str) or not isinstance(new, str | None):
            raise fail("wrong-type", f"a rule maps a name to a name or None, not {old!r} to {new!r}", span)
        rules.append(rule_of(old, new, span, span))
    return tuple(rules)


def rule_of(old_name: str, new: str | None, old_span: Span, new_span: Span) -> Rename:
    """The rule that replaces the beginning `old_name` of names by `new`, which may be empty; None leaves weights out.

    Raises:
        ArchspecError: a name is not valid, or the rule changes nothing.
    """
    for text, pattern, span in ((old_name, _OLD, old_span), (new, _NEW, new_span)):
        if text is not None and (not pattern.fullmatch(text) or "**" in text):
            help = "write a dotted path of names, where * matches any one name, or any part of one"
            raise fail("bad-name", f"'{text}' cannot be the name of a weight", span, help=help)
    old = tuple(old_name.split("."))
    if new is None:
        return Rename(old_span, old, None)
    if old_name.count("*") != new.count("*"):
        message = f"'{old_name}' has {old_name.count('*')} * and '{new}' has {new.count('*')}"
        help = "each * of the new name takes the match of one * of the old name, in order"
        raise fail("wrong-rename", message, new_span, help=help)
    if old_name == new:
        raise fail("wrong-rename", f"'{old_name}' is renamed to itself", old_span, help="remove it")
    return Rename(old_span, old, tuple(new.split(".")) if new else ())
