"""Arguments that most layers of a kind have in common, stated once at the head of the source as a partial.

`Conv2D = partial(layers.Conv2D, data_format="channels_first")` holds the arguments that more than half of the
constructions of such a layer share; the others override them. A partial holds only conventions and initializers,
nothing that tells one layer from another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from archspec.lower.text.code_model import Argument, Call, ParameterExpr
from archspec.lower.text.formatter import INDENT, WIDTH, items, literal, one_line

_CONVENTIONS = ("axis", "momentum", "epsilon", "padding", "use_bias", "data_format")
"""Arguments that a partial may hold, beside initializers."""

_RANDOM = ("VarianceScaling", "RandomUniform", "RandomNormal", "TruncatedNormal", "Orthogonal")
"""Initializers that layers must not share: the same instance draws the same numbers each time."""


@dataclass(frozen=True, slots=True)
class LayerDefaults:
    """The partials of a source: the arguments of each, by the layer class it constructs."""

    arguments: Mapping[str, Mapping[str, Argument]]

    @classmethod
    def of(cls, calls: Iterable[Call]) -> LayerDefaults:
        """The partials for the layers that these calls construct."""
        by_class: dict[str, list[Call]] = {}
        for call in calls:
            if call.callee.startswith("layers."):
                by_class.setdefault(call.callee, []).append(call)
        common = {callee: _common_arguments(of_class) for callee, of_class in by_class.items()}
        return cls({callee: arguments for callee, arguments in common.items() if arguments})

    def apply(self, call: Call) -> Call:
        """The construction of a layer by its partial, if there is one."""
        if call.callee not in self.arguments:
            return call
        defaults = {**call.defaults, **self.arguments[call.callee]}
        return replace(call, callee=class_name(call.callee), defaults=defaults)  # type: ignore[arg-type]  # or a call

    def lines(self) -> Iterator[str]:
        """The lines that define the partials."""
        for callee, arguments in self.arguments.items():
            text = ", ".join([callee, *(f"{name}={one_line(value)}" for name, value in arguments.items())])
            has_random = any(_is_random(value) for value in arguments.values())
            line = f"{class_name(callee)} = partial({text})"
            if len(line) <= WIDTH and not has_random:
                yield line
                continue
            yield f"{class_name(callee)} = partial("
            if len(INDENT + text) <= WIDTH and not has_random:
                yield INDENT + text
            else:
                yield f"{INDENT}{callee},"
                for name, value in arguments.items():
                    yield from _argument_lines(name, value)
            yield ")"


def class_name(callee: str) -> str:
    """The name of a layer's partial."""
    return callee.removeprefix("layers.")


def _common_arguments(calls: list[Call]) -> dict[str, Argument]:
    """The arguments that more than half of the constructions share, if they differ from the default of Keras."""
    common: dict[str, Argument] = {}
    for name in dict.fromkeys(name for call in calls for name in call.defaults):
        if name not in _CONVENTIONS and not name.endswith("_initializer"):
            continue
        values = [call.arguments[name] for call in calls if name in call.arguments]
        texts = Counter(one_line(value) for value in values if not isinstance(value, ParameterExpr))
        text, times = texts.most_common(1)[0] if texts else ("", 0)
        value = next((value for value in values if one_line(value) == text), None)
        default = next(call.defaults[name] for call in calls if name in call.defaults)
        if times > 1 and 2 * times > len(calls) and value != default:
            common[name] = value
    return common


def _is_random(value: Argument) -> bool:
    return isinstance(value, Call) and _initializer_name(value) in _RANDOM


def _initializer_name(call: Call) -> str:
    return call.callee.removeprefix("initializers.")


def _argument_lines(name: str, value: Argument) -> Iterator[str]:
    """The lines of an argument. A random initializer is written as its config, so that each layer gets its own."""
    if not isinstance(value, Call) or not _is_random(value):
        yield f"{INDENT}{name}={one_line(value)},"
        return
    options = [option for option, argument in value.arguments.items() if argument != value.defaults.get(option)]
    texts = [f'"{option}": {one_line(item.value)}' for option, item in zip(options, items(value), strict=True)]
    config = f'{INDENT * 2}"config": {{{", ".join(texts)}}},'
    yield f"{INDENT}{name}={{  # as data, so that each layer makes its own"
    yield f'{INDENT * 2}"class_name": {literal(_initializer_name(value))},'
    if len(config) <= WIDTH:
        yield config
    else:
        yield f'{INDENT * 2}"config": {{'
        yield from (f"{INDENT * 3}{text}," for text in texts)
        yield f"{INDENT * 2}}},"
    yield f"{INDENT}}},"
