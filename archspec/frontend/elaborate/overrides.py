"""What a spec is built with: the values of its params, and the types of its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, prod
from numbers import Integral, Real
from typing import Any

from archspec.diagnostics import ArchspecError, Diagnostic, did_you_mean, fail
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.expressions.values import INVALID, MAX_INTEGER, Bare, Data, Invalid, show, tidy, whole
from archspec.frontend.language.fields import Field
from archspec.frontend.language.spec import Input, Spec
from archspec.frontend.limits import MAX_AXES, MAX_ELEMENTS
from archspec.ir.graph import Value
from archspec.ir.types import TensorType

Sizes = Sequence[int]


@dataclass(frozen=True, slots=True)
class Settings:
    """The params and the types of the inputs; `UNKNOWN`, or None, where a mistake leaves nobody to tell."""

    params: Environment
    inputs: Mapping[str, TensorType | None]
    diagnostics: tuple[Diagnostic, ...]


def settings(
    spec: Spec,
    variant: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    input: Sizes | Mapping[str, Sizes] | None = None,
) -> Settings:
    """What to build a variant of a spec with, where `overrides` and `input` are given from outside.

    Raises:
        ArchspecError: what is given from outside does not fit the spec.
    """
    faults: list[Diagnostic] = []
    params = _params(spec, variant, overrides or {}, faults)
    types = {declared.name: _declared(declared, params, faults) for declared in spec.inputs}
    return Settings(params, types | _given(spec, types, input), tuple(faults))


def _params(spec: Spec, variant: str | None, overrides: Mapping[str, Any], faults: list[Diagnostic]) -> dict[str, Any]:
    """What each param is worth: given from outside, by the variant, or by default."""
    for name in overrides:
        if name not in spec.params:
            help = _of_variant(spec, overrides[name]) if name == "variant" else None
            help = help or did_you_mean(name, spec.params) or ("it has none" if not spec.params else None)
            raise fail("unknown-param", f"'{spec.name}' has no param '{name}'", help=help)
    chosen = spec.variants[variant].params if variant else {}
    return _values(spec.params, chosen, overrides, faults)


def _of_variant(spec: Spec, name: object) -> str | None:
    """The help for who gives a variant as if it were a param."""
    if not spec.variants:
        return None
    if name not in spec.variants:
        return did_you_mean(str(name), spec.variants)
    return f"a variant stands after the name of the spec: {spec.source.name}:{name}"


def defaults(params: Mapping[str, Field]) -> tuple[Environment, tuple[Diagnostic, ...]]:
    """What params are worth that nobody chooses, with the mistakes in them: those of a file of blocks."""
    faults: list[Diagnostic] = []
    return _values(params, {}, {}, faults), tuple(faults)


def _values(
    params: Mapping[str, Field],
    chosen: Mapping[str, Field],
    overrides: Mapping[str, Any],
    faults: list[Diagnostic],
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, default in params.items():
        written = chosen.get(name, default)
        below = [other for other in params if other in written.names - {name} and other not in values]
        if below and name not in overrides:
            message, help = f"'{below[0]}' is defined below '{name}'", "params come in order: move it up"
            faults.append(Diagnostic("unknown-name", message, written.span, help=help))
            values[name] = INVALID
            continue
        try:
            values[name] = _data(name, overrides[name]) if name in overrides else _settled(written.evaluate(values))
        except Invalid:
            values[name] = INVALID
        except ArchspecError as error:
            if name in overrides:
                raise
            faults += error.diagnostics
            values[name] = INVALID
    return values


def _settled(value: Data) -> Data:
    """A param's value: a word that resembles no name is a text, and no longer a name that may be wrong."""
    return str(value) if isinstance(value, Bare) and value.meant is None else value


def _data(name: str, value: Any) -> Data:
    """A Python value as a value of the language."""
    if isinstance(value, list | tuple):
        return tuple(_data(name, item) for item in value)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral) and abs(int(value)) < MAX_INTEGER:
        return int(value)
    if isinstance(value, Real) and isfinite(value) and not isinstance(value, Integral):
        return tidy(float(value))
    raise fail(
        "wrong-value",
        f"the param '{name}' cannot be {value!r}",
        help="a param is a number of ordinary size, a text, true, false, or a list of them",
    )


def _declared(declared: Input, params: Environment, faults: list[Diagnostic]) -> TensorType | None:
    """The type of an input as the spec declares it."""
    try:
        sizes = declared.shape.evaluate(params)
        sizes = sizes if isinstance(sizes, tuple) else (sizes,)
        return TensorType(_sizes(sizes), declared.dtype)
    except Invalid:
        return None
    except ArchspecError as error:
        faults += (each if each.help else replace(each, help=_SIZES) for each in error.diagnostics)
    except ValueError as error:
        code = "too-large" if isinstance(error, _TooLarge) else "wrong-value"
        message = f"the shape of '{declared.name}' is {error}"
        faults.append(Diagnostic(code, message, declared.shape.span, help=_SIZES))
    return None


_SIZES = "write numbers, such as [3, 224, 224]: channels, height and width, without the batch axis"


def suspicious(spec: Spec, inputs: Iterable[Value]) -> Iterator[Diagnostic]:
    """A warning for each input that looks like one image, its batch axis written out, or its channels last."""
    declared = {each.name: each for each in spec.inputs}
    for value in inputs:
        match value.type.sizes:
            case (1, channels, height, width) if channels <= _MOST_COLOURS < min(height, width):
                message = f"'{value.name}' is a volume here: one channel, {channels} × {height} × {width} positions"
                help = f"sizes are without the batch axis: [{channels}, {height}, {width}] is an image"
                yield Diagnostic("batch-axis", message, declared[value.name].shape.span, help=help)
            case (height, width, channels) if channels <= _MOST_COLOURS < height == width:
                message = f"'{value.name}' has {height} channels here, of {width} × {channels} positions"
                help = f"channels come first: [{channels}, {height}, {width}] is an image"
                yield Diagnostic("channels-last", message, declared[value.name].shape.span, help=help)


_MOST_COLOURS = 4
"""Channels an image has at most, with transparency; volumes have more planes than that."""


class _TooLarge(ValueError):
    """There are more sizes, or larger ones, than a tensor may have."""


def _sizes(values: Sequence[Any]) -> tuple[int, ...]:
    """Sizes of a tensor.

    Raises:
        ValueError: they cannot be; the message says what they would have to be.
    """
    sizes = tuple(whole(value) if isinstance(value, int | float) else None for value in values)
    found = tuple(size for size in sizes if size is not None and size >= 1)
    if len(found) < len(sizes):
        raise ValueError(f"whole numbers of at least 1, not {show(tuple(values))}")
    if len(found) >= MAX_AXES or prod(found) > MAX_ELEMENTS:
        raise _TooLarge(f"at most {MAX_AXES - 1} numbers and {MAX_ELEMENTS:,} elements, not {show(found)}")
    return found


def _plain(sizes: object) -> tuple[Any, ...]:
    """Sizes from outside, which may be NumPy's, as numbers of the language."""
    items = tuple(sizes) if isinstance(sizes, Iterable) and not isinstance(sizes, str) else (sizes,)
    return tuple(int(item) if isinstance(item, Integral) and not isinstance(item, bool) else item for item in items)


def _given(
    spec: Spec, types: Mapping[str, TensorType | None], given: Sizes | Mapping[str, Sizes] | None
) -> dict[str, TensorType]:
    """The types of the inputs that are given from outside."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        if len(types) > 1:
            message = f"'{spec.name}' has several inputs: {', '.join(types)}"
            raise fail("wrong-input", message, help="name the one meant")
        given = {next(iter(types)): given}
    dtypes = {declared.name: declared.dtype for declared in spec.inputs}
    found: dict[str, TensorType] = {}
    for name, sizes in given.items():
        if name not in types:
            raise fail("wrong-input", f"'{spec.name}' has no input '{name}'", help=did_you_mean(name, types))
        try:
            found[name] = TensorType(_sizes(_plain(sizes)), dtypes[name])
        except ValueError as error:
            help = "without the batch axis, as in (3, 224, 224)"
            raise fail("wrong-input", f"the shape of '{name}' is {error}", help=help) from error
        declared = types[name]
        if declared is not None and declared.rank != found[name].rank:
            message = f"{'x'.join(map(str, found[name].sizes))} does not fit the input {declared}"
            count = len(declared.sizes)
            raise fail("wrong-input", message, help=f"give {count} sizes, without the batch axis")
    return found
