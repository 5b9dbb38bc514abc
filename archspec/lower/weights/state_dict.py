"""The names weights come under: what is wrapped around a state dict, and the names of old checkpoints."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from archspec.diagnostics import Span, fail

T = TypeVar("T")


class RenameRule(Protocol):
    """A rule that gives some names of a checkpoint the names that the network has, as a spec's `rename` does."""

    @property
    def span(self) -> Span:
        """Where the rule is written."""

    def matches(self, name: str) -> bool:
        """Whether the rule applies to a name."""

    def apply(self, name: str) -> str:
        """The new name of a name that matches."""


WRAPPERS = ("state_dict", "model_state_dict", "model")
"""The keys under which training scripts store a state dict, beside the number of the epoch and the like.

Under another key it is found where it is the only mapping with tensors, and no tensors lie beside it.
"""

PREFIXES = ("module.", "_orig_mod.")
"""What `nn.DataParallel` and `torch.compile` put before every name."""


@dataclass(frozen=True, slots=True)
class Named(Generic[T]):
    """Entries under the names a network has for them, and what was done to their names.

    Attributes:
        entries: what there is, by name.
        renamed: the names a spec's `rename` has changed, and what they are now.
        stripped: what was taken off, in words.
    """

    entries: Mapping[str, T]
    renamed: tuple[tuple[str, str], ...]
    stripped: tuple[str, ...]


def unwrapped(stored: Mapping[Any, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The tensors of a state dict, which may be wrapped in a checkpoint; and what was taken off, in words."""
    stripped: list[str] = []
    while (wrapper := _wrapper(stored)) is not None:
        stored = stored[wrapper]
        stripped.append(f"all but what is under '{wrapper}'")
    tensors = {str(key): entry for key, entry in stored.items() if _is_tensor(entry)}
    others = [str(key) for key, entry in stored.items() if str(key) not in tensors]
    if others:
        stripped.append(f"what is no tensor: {', '.join(others[:3])}{' and others' if len(others) > 3 else ''}")
    return tensors, tuple(stripped)


def _wrapper(stored: Mapping[Any, Any]) -> Any:
    """The key under which a state dict lies, if it lies under one."""
    known = next((key for key in WRAPPERS if isinstance(stored.get(key), Mapping)), None)
    if known is not None or any(map(_is_tensor, stored.values())):
        return known
    holding = [key for key, held in stored.items() if isinstance(held, Mapping) and any(map(_is_tensor, held.values()))]
    return holding[0] if len(holding) == 1 else None


def _is_tensor(entry: object) -> bool:
    return hasattr(entry, "shape") and hasattr(entry, "dtype")


def named(entries: Mapping[str, T], wanted: Collection[str], rules: Sequence[RenameRule] = ()) -> Named[T]:
    """Entries under the names a network wants, as far as wrappers and rules explain theirs.

    Names the network has stay as they are, whatever the rules say: what it stored itself always loads.

    Raises:
        ArchspecError: a rule gives two entries one name.
    """
    stripped: list[str] = []
    while entries and (prefix := _prefix(entries, wanted)):
        entries = {name.removeprefix(prefix): entry for name, entry in entries.items()}
        stripped.append(f"'{prefix}' before every name")
    used = {name: _rule(name, rules) for name in entries if name not in wanted}
    origins: dict[str, str] = {}
    for name in entries:
        rule = used.get(name)
        new = rule.apply(name) if rule else name
        other = origins.setdefault(new, name)
        if other != name:
            culprit = rule or used.get(other)
            message = f"'{other}' and '{name}' would both be called '{new}'"
            help = "a rule takes too much: write more of the name"
            raise fail("wrong-rename", message, culprit.span if culprit else None, help=help)
    renamed = tuple((old, new) for new, old in origins.items() if old != new)
    return Named({new: entries[old] for new, old in origins.items()}, renamed, tuple(stripped))


def _rule(name: str, rules: Sequence[RenameRule]) -> RenameRule | None:
    """The first rule that takes a name."""
    return next((rule for rule in rules if rule.matches(name)), None)


def _prefix(entries: Mapping[str, object], wanted: Collection[str]) -> str | None:
    """What stands before every name, unless the network has names that begin so."""
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in entries) and not any(name.startswith(prefix) for name in wanted):
            return prefix
    return None
