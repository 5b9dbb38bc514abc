"""Names: how layers get theirs, and how a spec refers to a layer by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archspec.diagnostics import Span, did_you_mean, fail
from archspec.ir.graph import Value

Flow = tuple[Value, ...] | None
"""What flows from one layer to the next; None where a mistake leaves nobody to tell."""


@dataclass(slots=True)
class Entry:
    """What a name stands for: the values of a layer, and the names inside it if it has any."""

    flow: Flow
    span: Span
    owner: str
    """The path of the weights behind the name: its own, unless it shares another's."""
    ports: Mapping[str, Value] = field(default_factory=dict)
    inside: Frame | None = None


@dataclass(slots=True)
class Frame:
    """A stretch of a spec in which names are unique.

    `outer` is the frame around it that references may reach too; a block is closed and has none. `owner` is the path
    of the frame whose weights are used instead of its own.
    """

    path: str
    outer: Frame | None = None
    indexed: bool = False
    owner: str | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    left_out: dict[str, Span] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    children: int = 0

    def give(self, base: str) -> str:
        """A name for a child without one: its number, or `base` with a number if that is taken."""
        if self.indexed:
            while (name := str(self.children)) in self.entries:
                self.children += 1
            self.children += 1
            return name
        count = self.used.get(base, 0)
        while (name := f"{base}_{count}" if count else base) in self.entries:
            count += 1
        self.used[base] = count + 1
        return name

    def enter(self, name: str, entry: Entry) -> None:
        """Let `name` stand for `entry`.

        Raises:
            ArchspecError: the name stands for something else already.
        """
        if before := self.entries.get(name):
            where = f"line {before.span.line}"
            raise fail(
                "duplicate-name",
                f"'{name}' is the name of another layer already",
                entry.span,
                notes=[("first", where)],
                help="names are unique among neighbours; in a `repeat`, put the index "
                "into the name: name: " + name + "$i",
            )
        self.entries[name] = entry

    def join(self, name: str) -> str:
        """The dotted path of a child."""
        return f"{self.path}.{name}" if self.path else name

    def owner_of(self, name: str) -> str:
        """The path under which the weights of a child are found."""
        return f"{self.owner}.{name}" if self.owner else self.join(name)

    def find(self, reference: str, span: Span) -> Entry:
        """What a reference stands for: its first name is looked up here and outwards, the others inside it.

        Raises:
            ArchspecError: it stands for nothing.
        """
        first, *others = reference.split(".")
        entry = self.look_up(first, span)
        for name in others:
            if name in entry.ports:
                value = entry.ports[name]
                entry = Entry((value,), entry.span, entry.owner)
            elif entry.inside is not None and name in entry.inside.entries:
                entry = entry.inside.entries[name]
            elif entry.flow is None and not entry.ports and not (entry.inside and entry.inside.entries):
                return entry
            else:
                known = [*entry.ports, *(entry.inside.entries if entry.inside else ())]
                raise fail(
                    "unknown-layer",
                    f"there is no layer '{name}' inside '{first}'",
                    span,
                    help=did_you_mean(name, known) or f"'{first}' has no layers inside",
                )
            first = f"{first}.{name}"
        return entry

    def look_up(self, name: str, span: Span) -> Entry:
        frame: Frame | None = self
        known: list[str] = []
        while frame is not None:
            if name in frame.entries:
                return frame.entries[name]
            if name in frame.left_out:
                raise fail(
                    "unknown-layer",
                    f"the layer '{name}' is left out here",
                    span,
                    notes=[("left out by its `when`", f"line {frame.left_out[name].line}")],
                )
            known += frame.entries
            frame = frame.outer
        raise fail(
            "unknown-layer",
            f"there is no layer '{name}' before this one",
            span,
            help=did_you_mean(name, ["prev", *known]),
        )
