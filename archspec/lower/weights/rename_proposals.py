"""Proposes `rename` rules: which layers of a checkpoint are probably which layers of the network, under other names.

Layers are compared as modules: the names and shapes of their weights. Modules of one kind are paired if their names are
more similar to each other than to all others, or in order, if both have the same number of them. What the pairs have in
common becomes few rules: `net.layers.0.conv` and `layers.0.conv` differ by the prefix `net`. The rules are then
applied; they are proposed only if they give every name that they match its partner's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

_SIMILAR = 0.6
"""The least similarity of names, from 0 to 1, if order does not tell."""

_MOST = 60
"""The largest number of modules of a kind whose names are compared with one another."""

Signature = tuple[tuple[str, object], ...]
"""The names of a module's weights, with their forms."""


def proposals(unexpected: Mapping[str, object], missing: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Rules that rename unexpected weights to missing ones, as pairs of an old and a new beginning of names.

    Args:
        unexpected: weights of a checkpoint that the network lacks: their forms by name.
        missing: weights of the network that the checkpoint lacks.
    """
    old, new = _modules(unexpected), _modules(missing)
    by_signature: dict[Signature, tuple[list[str], list[str]]] = {}
    for i, modules in enumerate((old, new)):
        for name, signature in modules.items():
            by_signature.setdefault(signature, ([], []))[i].append(name)
    pairs: dict[str, str] = {}
    for ours, theirs in by_signature.values():
        similar = _similar(ours, theirs)
        if len(similar) < len(ours) == len(theirs):
            similar = dict(zip(_in_order(ours), theirs, strict=True))
        pairs.update(similar)
    single = _single(_without(unexpected, pairs), _without(missing, pairs.values()))
    wanted = {**pairs, **single}
    for rules in (_general(wanted), wanted):
        if rules and _agree(rules, wanted, (*old, *single)):
            return tuple(rules.items())
    return ()


def _without(weights: Mapping[str, object], modules: Iterable[str]) -> dict[str, object]:
    """The weights that are not in one of the modules."""
    names = set(modules)
    return {name: form for name, form in weights.items() if name.rpartition(".")[0] not in names and _is_usable(name)}


def _single(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, str]:
    """Pairs of weights that are alone in having their form, such as position embeddings."""
    by_form = {form: name for name, form in new.items()}
    counts = [Counter(weights.values()) for weights in (old, new)]
    return {name: by_form[form] for name, form in old.items() if counts[0][form] == counts[1][form] == 1}


def _is_usable(name: str) -> bool:
    """Whether a rule can be written for a name."""
    return re.fullmatch(r"[^\s.*]+(\.[^\s.*]+)*", name) is not None and not name.endswith(".num_batches_tracked")


def _modules(weights: Mapping[str, object]) -> dict[str, Signature]:
    """The signature of each module, by its name; counters, which may be absent, are left out."""
    modules: dict[str, list[tuple[str, object]]] = {}
    for name, form in weights.items():
        module, _, leaf = name.rpartition(".")
        if module and _is_usable(name):
            modules.setdefault(module, []).append((leaf, form))
    return {name: tuple(sorted(leaves, key=lambda leaf: leaf[0])) for name, leaves in modules.items()}


def _in_order(names: Sequence[str]) -> list[str]:
    """Names in the order of a checkpoint; with numbers in order if that is alphabetical, as in safetensors."""
    return sorted(names, key=_natural) if list(names) == sorted(names) else list(names)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A sort key with numbers in their order."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in name.split(".")]


def _similar(old: Sequence[str], new: Sequence[str]) -> dict[str, str]:
    """Pairs of names that are more similar to each other than to all others."""
    if not old or not new or max(len(old), len(new)) > _MOST:
        return {}
    score = {(one, other): SequenceMatcher(None, one, other, autojunk=False).ratio() for one in old for other in new}
    best = {one: max(new, key=lambda other: score[one, other]) for one in old}
    back = {other: max(old, key=lambda one: score[one, other]) for other in new}
    return {one: other for one, other in best.items() if back[other] == one and score[one, other] >= _SIMILAR}


def _general(pairs: Mapping[str, str]) -> dict[str, str]:
    """Shorter rules for the pairs: without the end that both names share, and with `*` for equal numbers."""
    rules: dict[str, str] = {}
    for old, new in pairs.items():
        one, other = old.split("."), new.split(".")
        while len(one) > 1 and other and one[-1] == other[-1]:
            one.pop()
            other.pop()
        numbers = [[part for part in parts if part.isdigit()] for parts in (one, other)]
        if numbers[0] == numbers[1] and other:
            one, other = (["*" if part.isdigit() else part for part in parts] for parts in (one, other))
        rules[".".join(one)] = ".".join(other)
    return dict(sorted(rules.items(), key=lambda rule: -rule[0].count(".")))


def _agree(rules: Mapping[str, str], pairs: Mapping[str, str], names: Iterable[str]) -> bool:
    """Whether the first rule that matches a module gives it its partner's name; none may match one without partner."""
    patterns = [(re.compile(_pattern(old)), new) for old, new in rules.items()]
    return all(_applied(patterns, name) == pairs.get(name) for name in names)


def _pattern(old: str) -> str:
    parts = ("([^.]+)" if part == "*" else re.escape(part) for part in old.split("."))
    return r"\.".join(parts) + r"(?:\.(.*))?"


def _applied(patterns: Sequence[tuple[re.Pattern[str], str]], name: str) -> str | None:
    for pattern, new in patterns:
        if (match := pattern.fullmatch(name)) is not None:
            *stars, rest = match.groups()
            parts = new.split(".") if new else []
            replaced = [next_star if part == "*" else part for part, next_star in _with_stars(parts, stars)]
            return ".".join([*replaced, *([rest] if rest else [])])
    return None


def _with_stars(parts: Sequence[str], stars: Sequence[str]) -> Iterable[tuple[str, str]]:
    left = iter(stars)
    return [(part, next(left) if part == "*" else "") for part in parts]
