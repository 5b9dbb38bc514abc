"""What most layers of a kind are made with, said once at the head of the source.

A partial, `Conv2D = partial(layers.Conv2D, data_format="channels_first")`, holds what more than half of the places have
in common where such a layer is made; the others say what they have instead. It holds conventions alone, and nothing
that tells one layer from another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from archspec.lower.text.code_model import Argument, Call, Hole
from archspec.lower.text.formatter import INDENT, WIDTH, items, literal, one_line

_CONVENTIONS = ("axis", "momentum", "epsilon", "padding", "use_bias", "data_format")
"""Arguments that a partial may hold, with the initializers."""

_RANDOM = ("VarianceScaling", "RandomUniform", "RandomNormal", "TruncatedNormal", "Orthogonal")
"""Initializers of which each layer needs one of its own: one that is used again draws the same numbers."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The partials of a source: by what they stand for, the arguments they hold."""

    held: Mapping[str, Mapping[str, Argument]]

    @classmethod
    def of(cls, calls: Iterable[Call]) -> Shared:
        """The partials worth having for the layers that are made."""
        made: dict[str, list[Call]] = {}
        for call in calls:
            if call.callee.startswith("layers."):
                made.setdefault(call.callee, []).append(call)
        found = {callee: _common(own) for callee, own in made.items()}
        return cls({callee: common for callee, common in found.items() if common})

    def applied(self, call: Call) -> Call:
        """The construction of a layer, by its partial if there is one."""
        if call.callee not in self.held:
            return call
        defaults = {**call.defaults, **self.held[call.callee]}
        return replace(call, callee=_name(call.callee), defaults=defaults)  # type: ignore[arg-type]  # or a call

    def lines(self) -> Iterator[str]:
        """The lines that make the partials."""
        for callee, common in self.held.items():
            given = ", ".join([callee, *(f"{name}={one_line(value)}" for name, value in common.items())])
            random = any(_is_random(value) for value in common.values())
            line = f"{_name(callee)} = partial({given})"
            if len(line) <= WIDTH and not random:
                yield line
                continue
            yield f"{_name(callee)} = partial("
            if len(INDENT + given) <= WIDTH and not random:
                yield INDENT + given
            else:
                yield f"{INDENT}{callee},"
                for name, value in common.items():
                    yield from _lines(name, value)
            yield ")"


def _name(callee: str) -> str:
    return callee.removeprefix("layers.")


def _common(calls: list[Call]) -> dict[str, Argument]:
    """The arguments that more than half of several constructions have, and that are not what Keras takes anyway."""
    found: dict[str, Argument] = {}
    for name in dict.fromkeys(name for call in calls for name in call.defaults):
        if name not in _CONVENTIONS and not name.endswith("_initializer"):
            continue
        values = [call.arguments[name] for call in calls if name in call.arguments]
        texts = Counter(one_line(value) for value in values if not isinstance(value, Hole))
        text, times = texts.most_common(1)[0] if texts else ("", 0)
        value = next((value for value in values if one_line(value) == text), None)
        usual = next(call.defaults[name] for call in calls if name in call.defaults)
        if times > 1 and 2 * times > len(calls) and value != usual:
            found[name] = value
    return found


def _is_random(value: Argument) -> bool:
    return isinstance(value, Call) and _initializer(value) in _RANDOM


def _initializer(call: Call) -> str:
    return call.callee.removeprefix("initializers.")


def _lines(name: str, value: Argument) -> Iterator[str]:
    """The lines of an argument; a random initializer as data, of which Keras makes a new one for each layer."""
    if not isinstance(value, Call) or not _is_random(value):
        yield f"{INDENT}{name}={one_line(value)},"
        return
    shown = [option for option, each in value.arguments.items() if each != value.defaults.get(option)]
    texts = [f'"{option}": {one_line(item.value)}' for option, item in zip(shown, items(value), strict=True)]
    config = f'{INDENT * 2}"config": {{{", ".join(texts)}}},'
    yield f"{INDENT}{name}={{  # as data, so that each layer makes its own"
    yield f'{INDENT * 2}"class_name": {literal(_initializer(value))},'
    if len(config) <= WIDTH:
        yield config
    else:
        yield f'{INDENT * 2}"config": {{'
        yield from (f"{INDENT * 3}{text}," for text in texts)
        yield f"{INDENT * 2}}},"
    yield f"{INDENT}}},"
