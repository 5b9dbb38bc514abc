"""The table `rename`: names of weights in old checkpoints, and their names in the spec."""

from __future__ import annotations

import re
from functools import partial

from archspec.diagnostics import fail
from archspec.frontend.language.reader import Reader
from archspec.frontend.language.spec import Rename
from archspec.frontend.yaml.tree import Tree, YamlScalar

MOST = 1_000
"""The most rules in a table: each is compared with those above it."""

_OLD = re.compile(r"(\*|[^\s.*]+)(\.(\*|[^\s.*]+))*")
_NEW = re.compile(r"(\*|[A-Za-z0-9_]+)(\.(\*|[A-Za-z0-9_]+))*")


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
    new = reader.text("a new name", tree)
    for text, pattern, span in ((key.text, _OLD, key.span), (new, _NEW, tree.span)):
        if not pattern.fullmatch(text):
            help = "write a dotted path of names, where * matches any one name"
            raise fail("bad-name", f"'{text}' cannot be the name of a weight", span, help=help)
    old, parts = tuple(key.text.split(".")), tuple(new.split("."))
    if old.count("*") != parts.count("*"):
        message = f"'{key.text}' has {old.count('*')} * and '{new}' has {parts.count('*')}"
        help = "each * of the new name takes the match of one * of the old name, in order"
        raise fail("wrong-rename", message, tree.span, help=help)
    if old == parts:
        raise fail("wrong-rename", f"'{key.text}' is renamed to itself", key.span, help="remove it")
    return Rename(key.span, old, parts)
