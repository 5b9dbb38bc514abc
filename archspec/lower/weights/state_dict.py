"""Names in a state dict: removes wrappers and prefixes, and applies the `rename` rules for old checkpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from archspec.diagnostics import ArchspecError, Span, fail

T = TypeVar("T")


class RenameRule(Protocol):
    """A rule that gives some names of a checkpoint the names that the network has, as a spec's `rename` does."""

    @property
    def span(self) -> Span:
        """Where the rule is written."""

    def matches(self, name: str) -> bool:
        """Whether the rule applies to a name."""

    def apply(self, name: str) -> str | None:
        """The new name of a name that matches; None if the weight is left out."""


WRAPPERS = ("state_dict", "model_state_dict", "model")
"""The keys under which training scripts store a state dict, next to the epoch and the like."""

PREFIXES = ("module.", "_orig_mod.")
"""The prefixes that `nn.DataParallel` and `torch.compile` add to every name."""

_DEEPEST = 4
"""The number of mappings, one inside the other, in which state dicts are searched for."""

_OWN_NAMES = ("total_ops", "total_params", "n_averaged")
"""Tensors that tools add to a module: thop, and averages of weights."""

_OWN_PARTS = ("criterion", "loss", "loss_fn", "loss_fun", "optimizer")
"""Parts of a training module that hold tensors but are no layers."""


@dataclass(frozen=True, slots=True)
class Named(Generic[T]):
    """Entries under the network's names for them, and how their names were changed.

    Attributes:
        entries: the entries, by name.
        renamed: pairs of old and new names, changed by a spec's `rename`.
        stripped: descriptions of the wrappers and prefixes that were removed.
        foreign: the names of entries that are left out, by a rule or as parts of something around the network.
    """

    entries: Mapping[str, T]
    renamed: tuple[tuple[str, str], ...]
    stripped: tuple[str, ...]
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StateDict:
    """A state dict in a checkpoint.

    Attributes:
        path: the keys that lead to it.
        entries: its tensors by name.
        others: the names of its entries that are not tensors.
    """

    path: tuple[str, ...]
    entries: Mapping[str, Any]
    others: tuple[str, ...]

    @property
    def stripped(self) -> tuple[str, ...]:
        """Descriptions of what is not in it."""
        more = " and others" if len(self.others) > 3 else ""
        left = [f"entries that are not tensors: {', '.join(self.others[:3])}{more}"] if self.others else []
        return (*(f"everything except '{key}'" for key in self.path), *left)


def state_dicts(stored: Mapping[Any, Any]) -> Iterator[StateDict]:
    """The mapping itself and those inside it that hold tensors, outer ones first.

    One that is in several places is read once, so that this ends for mappings that hold themselves.
    """
    level: list[tuple[tuple[str, ...], Mapping[Any, Any]]] = [((), stored)]
    known: dict[int, StateDict] = {}
    for _ in range(_DEEPEST):
        inside: list[tuple[tuple[str, ...], Mapping[Any, Any]]] = []
        for path, mapping in level:
            state = known.get(id(mapping))
            if state is None:
                tensors = {str(key): entry for key, entry in mapping.items() if _is_tensor(entry)}
                state = StateDict(path, tensors, tuple(str(key) for key in mapping if str(key) not in tensors))
                known[id(mapping)] = state
                inside += [((*path, str(key)), held) for key, value in mapping.items() if (held := _mapping(value))]
            if state.entries or not path:
                yield replace(state, path=path)
        level = inside


def selected(stored: Mapping[Any, Any], part: str) -> Mapping[Any, Any] | None:
    """The mapping at a dotted path of keys; None if there is none."""
    found: Mapping[Any, Any] | None = stored
    for key in part.split("."):
        found = None if found is None else _mapping(next((v for k, v in found.items() if str(k) == key), None))
    return found


def _mapping(value: object) -> Mapping[Any, Any] | None:
    """A value as a mapping: it is one, or a module."""
    if isinstance(value, Mapping):
        return value
    state = getattr(value, "state_dict", None)
    is_module = callable(state) and hasattr(value, "named_parameters") and not isinstance(value, type)
    return state() if is_module else None  # type: ignore[misc]


def usual(found: Sequence[StateDict]) -> StateDict:
    """The state dict that a checkpoint is for by its key, if none fits the network."""
    for key in WRAPPERS:
        for each in found:
            if each.path[:1] == (key,):
                return each
    with_tensors = [each for each in found if each.entries]
    return with_tensors[0] if len(with_tensors) == 1 else found[0]


def _is_tensor(entry: object) -> bool:
    return hasattr(entry, "shape") and hasattr(entry, "dtype") and not isinstance(entry, type)


def fitting(entries: Collection[str], wanted: Collection[str], rules: Sequence[RenameRule] = ()) -> Counter[str]:
    """How many names are names of the network after a prefix of them is removed, by prefix; the empty one included."""
    counts: Counter[str] = Counter()
    for name in entries:
        parts = name.split(".")
        for start in range(len(parts)):
            rest = ".".join(parts[start:])
            if rest in wanted or any(rule.matches(rest) and rule.apply(rest) in wanted for rule in rules):
                counts[name.removesuffix(rest)] += 1
    return counts


def named(
    entries: Mapping[str, T],
    wanted: Collection[str],
    rules: Sequence[RenameRule] = (),
    prefix: str | None = None,
    file: str = "",
) -> Named[T]:
    """Entries under the network's names, after prefixes are removed and rename rules applied.

    Names that the network has are never renamed, so its own checkpoints always load. Entries that are those of a part
    get the prefix of that part.

    Args:
        entries: the entries by their names in the checkpoint.
        wanted: the names of the network.
        rules: the rename rules; the first that matches a name applies.
        prefix: the prefix of the entries that are meant, if several could be; it ends with a dot.
        file: the file that the entries are from, for messages.

    Raises:
        ArchspecError: the rules give two entries the same name, or the entries under several prefixes or of several
            parts fit.
    """
    stripped: list[str] = []
    foreign: list[str] = []
    prefix = _fitting_prefix(entries, wanted, rules, file) if prefix is None else prefix
    while not prefix and entries and (known := _common_prefix(entries, wanted)):
        entries = {name.removeprefix(known): entry for name, entry in entries.items()}
        stripped.append(f"the prefix '{known}' of every name")
    if prefix:
        outside = [name for name in entries if not name.startswith(prefix)]
        inside = {name.removeprefix(prefix): entry for name, entry in entries.items() if name.startswith(prefix)}
        stripped.append(f"the prefix '{prefix}' of {'every name' if not outside else f'{len(inside)} names'}")
        entries, foreign = inside, outside
    part = "" if prefix else _fitting_part(entries, wanted, rules)
    entries = {f"{part}{name}": entry for name, entry in entries.items()} if part else entries
    used = {name: _rule(name, rules) for name in entries if name not in wanted}
    foreign += [name for name, rule in used.items() if _is_left_out(name, rule)]
    left = set(foreign)
    entries = {name: entry for name, entry in entries.items() if name in wanted or name not in left}
    origins: dict[str, str] = {}
    for name in entries:
        rule = used.get(name)
        new = (rule.apply(name) if rule else None) or name
        other = origins.setdefault(new, name)
        if other != name:
            cause = rule or used.get(other)
            message = f"'{other}' and '{name}' would both be renamed to '{new}'"
            help = "a rule matches too many names: make its pattern longer"
            raise fail("wrong-rename", message, cause.span if cause else None, help=help)
    renamed = tuple((old.removeprefix(part), new) for new, old in origins.items() if old.removeprefix(part) != new)
    return Named({new: entries[old] for new, old in origins.items()}, renamed, tuple(stripped), tuple(foreign))


def _rule(name: str, rules: Sequence[RenameRule]) -> RenameRule | None:
    """The first rule that matches a name."""
    return next((rule for rule in rules if rule.matches(name)), None)


def _is_left_out(name: str, rule: RenameRule | None) -> bool:
    """Whether the rule leaves a weight out, or, without a rule, it belongs to something around the network."""
    if rule is not None:
        return rule.apply(name) is None
    parts = name.split(".")
    return parts[-1] in _OWN_NAMES or parts[0] in _OWN_PARTS


def _common_prefix(entries: Mapping[str, object], wanted: Collection[str]) -> str | None:
    """The known prefix of every name, unless names of the network start with it too."""
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in entries) and not any(name.startswith(prefix) for name in wanted):
            return prefix
    return None


def _fitting_prefix(entries: Collection[str], wanted: Collection[str], rules: Sequence[RenameRule], file: str) -> str:
    """The prefix under which most names are names of the network, if they are more than without it and at least half.

    Raises:
        ArchspecError: there are several.
    """
    counts = fitting(entries, wanted, rules)
    most = max(counts.values(), default=0)
    if most <= counts[""] or 2 * most < len(wanted):
        return ""
    best = [prefix for prefix, count in counts.items() if count == most]
    if len(best) > 1:
        raise _several([prefix.rstrip(".") for prefix in best], file)
    return best[0]


def _fitting_part(entries: Collection[str], wanted: Collection[str], rules: Sequence[RenameRule]) -> str:
    """The prefix of the part whose names most entries are, if they are more than without it and enough.

    Raises:
        ArchspecError: there are several.
    """
    ends = set(entries)
    counts: Counter[str] = Counter()
    for name in wanted:
        parts = name.split(".")
        counts.update(".".join(parts[:i]) + "." for i in range(1, len(parts)) if ".".join(parts[i:]) in ends)
    if rules:
        for part in counts:
            known = {name for name in entries if f"{part}{name}" in wanted}
            used = ((f"{part}{name}", _rule(f"{part}{name}", rules)) for name in entries if name not in known)
            counts[part] += sum(rule is not None and rule.apply(name) in wanted for name, rule in used)
    most = max(counts.values(), default=0)
    without = sum(name in wanted or any(rule.matches(name) for rule in rules) for name in entries)
    best = sorted(part for part, count in counts.items() if count == most)
    if most <= without or not any(_is_enough(most, len(ends), part, wanted) for part in best):
        return ""
    if len(best) > 1:
        message = f"the weights fit {' and '.join(repr(part[:-1]) for part in best[:4])} of the network equally well"
        raise fail("wrong-weights", message, help=f"name one of them: --rename '*={best[0]}*'")
    return best[0]


def _is_enough(count: int, entries: int, part: str, wanted: Collection[str]) -> bool:
    """Whether the names that fit are half of the entries, or half of a part that is cut and has quite a few."""
    return 2 * count >= entries or 2 * count >= sum(name.startswith(part) for name in wanted) >= _MANY


_MANY = 8
"""Names of a part that are not all there by accident."""


def _several(parts: Sequence[str], file: str) -> ArchspecError:
    """The error for several parts of a checkpoint that fit equally well."""
    quoted = [f"'{part}'" for part in parts]
    both = f"{', '.join(quoted[:-1])} and {quoted[-1]}" + (f" of {file}" if file else "")
    named = " or ".join(f"--weights {file}:{part}" for part in parts[:4])
    help = f"name one of them: {named}" if file else "pass the one that is meant"
    return fail("wrong-weights", f"the weights in {both} fit the network equally well", help=help)


def chosen(
    found: Sequence[StateDict], wanted: Mapping[str, tuple[int, ...]], rules: Sequence[RenameRule], file: str = ""
) -> StateDict:
    """The state dict that fits the network.

    Args:
        found: the state dicts of a checkpoint, outer ones first.
        wanted: the shapes of the network's weights by name.
        rules: the rename rules.
        file: the file of the checkpoint, for messages.

    Raises:
        ArchspecError: several fit equally well.
    """
    if len(found) == 1:
        return found[0]
    unique = {id(each.entries): each.entries for each in found}
    by_entries = {key: _score(entries, wanted, rules) for key, entries in unique.items()}
    scores = [by_entries[id(each.entries)] for each in found]
    most = max(scores)
    if 2 * most[1] < len(wanted):
        return usual(found)
    best = [each for each, score in zip(found, scores, strict=True) if score == most]
    outermost = {id(each.entries): len(each.path) for each in reversed(best)}
    best = [each for each in best if len(each.path) == outermost[id(each.entries)]]  # one held at several depths
    if len(best) > 1 and best[0].path:
        raise _several([".".join(each.path) for each in best], file)
    return best[0]


def _score(
    entries: Mapping[str, Any], wanted: Mapping[str, tuple[int, ...]], rules: Sequence[RenameRule]
) -> tuple[int, int]:
    """How many weights fit by name and shape, and by name alone, under the best prefix."""
    counts = fitting(entries, wanted, rules)
    if not counts:
        return 0, 0
    prefix, count = max(counts.items(), key=lambda item: item[1])
    shapes = (wanted.get(name.removeprefix(prefix)) == tuple(entry.shape) for name, entry in entries.items())
    return sum(shapes), count
