"""Names in a state dict: removes wrappers and prefixes, and applies the `rename` rules for old checkpoints."""

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
"""The keys under which training scripts store a state dict, next to the epoch and the like.

Under another key it is recognized if it is the only mapping with tensors, and no tensors are next to it.
"""

PREFIXES = ("module.", "_orig_mod.")
"""The prefixes that `nn.DataParallel` and `torch.compile` add to every name."""


@dataclass(frozen=True, slots=True)
class Named(Generic[T]):
    """Entries under the network's names for them, and how their names were changed.

    Attributes:
        entries: the entries, by name.
        renamed: pairs of old and new names, changed by a spec's `rename`.
        stripped: descriptions of the wrappers and prefixes that were removed.
    """

    entries: Mapping[str, T]
    renamed: tuple[tuple[str, str], ...]
    stripped: tuple[str, ...]


def unwrapped(stored: Mapping[Any, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The tensors of a state dict, which may be wrapped in a checkpoint; and descriptions of what was removed."""
    stripped: list[str] = []
    while (wrapper := _wrapper(stored)) is not None:
        stored = stored[wrapper]
        stripped.append(f"everything except '{wrapper}'")
    tensors = {str(key): entry for key, entry in stored.items() if _is_tensor(entry)}
    others = [str(key) for key, entry in stored.items() if str(key) not in tensors]
    if others:
        stripped.append(
            f"entries that are not tensors: {', '.join(others[:3])}{' and others' if len(others) > 3 else ''}"
        )
    return tensors, tuple(stripped)


def _wrapper(stored: Mapping[Any, Any]) -> Any:
    """The key under which the state dict is stored; None if the mapping is the state dict itself."""
    known = next((key for key in WRAPPERS if isinstance(stored.get(key), Mapping)), None)
    if known is not None or any(map(_is_tensor, stored.values())):
        return known
    keys = [key for key, value in stored.items() if isinstance(value, Mapping) and any(map(_is_tensor, value.values()))]
    return keys[0] if len(keys) == 1 else None


def _is_tensor(entry: object) -> bool:
    return hasattr(entry, "shape") and hasattr(entry, "dtype")


def named(entries: Mapping[str, T], wanted: Collection[str], rules: Sequence[RenameRule] = ()) -> Named[T]:
    """Entries under the network's names, after prefixes are removed and rename rules applied.

    Names that the network has are never renamed, so its own checkpoints always load.

    Raises:
        ArchspecError: the rules give two entries the same name.
    """
    stripped: list[str] = []
    while entries and (prefix := _prefix(entries, wanted)):
        entries = {name.removeprefix(prefix): entry for name, entry in entries.items()}
        stripped.append(f"the prefix '{prefix}' of every name")
    used = {name: _rule(name, rules) for name in entries if name not in wanted}
    origins: dict[str, str] = {}
    for name in entries:
        rule = used.get(name)
        new = rule.apply(name) if rule else name
        other = origins.setdefault(new, name)
        if other != name:
            cause = rule or used.get(other)
            message = f"'{other}' and '{name}' would both be renamed to '{new}'"
            help = "a rule matches too many names: make its pattern longer"
            raise fail("wrong-rename", message, cause.span if cause else None, help=help)
    renamed = tuple((old, new) for new, old in origins.items() if old != new)
    return Named({new: entries[old] for new, old in origins.items()}, renamed, tuple(stripped))


def _rule(name: str, rules: Sequence[RenameRule]) -> RenameRule | None:
    """The first rule that matches a name."""
    return next((rule for rule in rules if rule.matches(name)), None)


def _prefix(entries: Mapping[str, object], wanted: Collection[str]) -> str | None:
    """The prefix of every name, unless names of the network start with it too."""
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in entries) and not any(name.startswith(prefix) for name in wanted):
            return prefix
    return None
