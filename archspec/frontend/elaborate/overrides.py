"""Settings of a build: the values of params and the types of inputs, from the spec and from the caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, prod
from numbers import Integral, Real
from typing import Any

from archspec.diagnostics import ArchspecError, Diagnostic, did_you_mean, fail
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.expressions.values import MAX_INTEGER, Data, Invalid, show, tidy, whole
from archspec.frontend.language.params import param_values
from archspec.frontend.language.spec import Input, Spec
from archspec.frontend.limits import MAX_AXES, MAX_ELEMENTS
from archspec.frozen import frozen, replace
from archspec.ir.types import TensorType

Sizes = Sequence[int]
"""The sizes of an input, without the batch axis."""


@frozen
class Settings:
    """The params and the input types; `INVALID`, or None, for one that an error makes unknown."""

    params: Environment
    inputs: Mapping[str, TensorType | None]
    diagnostics: tuple[Diagnostic, ...]


def settings(
    spec: Spec,
    variant: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    input: Sizes | Mapping[str, Sizes] | None = None,
) -> Settings:
    """The settings for a variant of a spec.

    Args:
        spec: the spec.
        variant: one of its variants; None for the defaults of its params.
        overrides: values of params, by name, that the caller gives.
        input: sizes the caller gives: of the only input, or of several by name.

    Raises:
        ArchspecError: `overrides` or `input` do not fit the spec.
    """
    errors: list[Diagnostic] = []
    params = _params(spec, variant, overrides or {}, errors)
    types = {declared.name: _declared_type(declared, params, errors) for declared in spec.inputs}
    return Settings(params, types | _overridden_types(spec, types, input), tuple(errors))


def _params(spec: Spec, variant: str | None, overrides: Mapping[str, Any], errors: list[Diagnostic]) -> dict[str, Any]:
    for name in overrides:
        if name not in spec.params:
            help = _help_for_variant(spec, overrides[name]) if name == "variant" else None
            help = help or did_you_mean(name, spec.params) or ("it has no params" if not spec.params else None)
            raise fail("unknown-param", f"'{spec.name}' has no param '{name}'", help=help)
    chosen = spec.variants[variant].params if variant else {}
    values = {name: _data(name, overrides[name]) for name in spec.params if name in overrides}
    return param_values(spec.params, chosen, values, errors)


def _help_for_variant(spec: Spec, name: object) -> str | None:
    """The help for a variant that is given as a param."""
    if not spec.variants:
        return None
    if name not in spec.variants:
        return did_you_mean(str(name), spec.variants)
    return f"a variant follows the name of the spec: {spec.source.name}:{name}"


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
        help="a param is a finite number below 2**63, a text, true, false, or a list of these",
    )


def _declared_type(declared: Input, params: Environment, errors: list[Diagnostic]) -> TensorType | None:
    """The type of an input as the spec declares it."""
    try:
        sizes = declared.shape.evaluate(params)
        sizes = sizes if isinstance(sizes, tuple) else (sizes,)
        return TensorType(_checked_sizes(sizes), declared.dtype)
    except Invalid:
        return None
    except ArchspecError as error:
        errors += (
            diagnostic if diagnostic.help else replace(diagnostic, help=_HELP) for diagnostic in error.diagnostics
        )
    except ValueError as error:
        code = "too-large" if isinstance(error, _TooLarge) else "wrong-value"
        message = f"the shape of '{declared.name}' is {error}"
        errors.append(Diagnostic(code, message, declared.shape.span, help=_HELP))
    return None


_HELP = "write numbers, such as [3, 224, 224]: channels, height and width, without the batch axis"


class _TooLarge(ValueError):
    """There are more sizes, or more elements, than a tensor can have."""


def _checked_sizes(values: Sequence[Any]) -> tuple[int, ...]:
    """The sizes of a tensor.

    Raises:
        ValueError: they are invalid; the message says what is allowed.
    """
    numbers = tuple(whole(value) if isinstance(value, int | float) else None for value in values)
    sizes = tuple(number for number in numbers if number is not None and number >= 1)
    if len(sizes) < len(numbers):
        raise ValueError(f"whole numbers of at least 1, not {show(tuple(values))}")
    if len(sizes) >= MAX_AXES or prod(sizes) > MAX_ELEMENTS:
        raise _TooLarge(f"at most {MAX_AXES - 1} numbers and {MAX_ELEMENTS:,} elements, not {show(sizes)}")
    return sizes


def _plain_sizes(sizes: object) -> tuple[Any, ...]:
    """Sizes from the caller, which may be NumPy's, as plain numbers."""
    items = tuple(sizes) if isinstance(sizes, Iterable) and not isinstance(sizes, str) else (sizes,)
    return tuple(int(item) if isinstance(item, Integral) and not isinstance(item, bool) else item for item in items)


def _overridden_types(
    spec: Spec, declared: Mapping[str, TensorType | None], input: Sizes | Mapping[str, Sizes] | None
) -> dict[str, TensorType]:
    """The types of the inputs whose sizes the caller gives."""
    if input is None:
        return {}
    if not isinstance(input, Mapping):
        if len(declared) > 1:
            message = f"'{spec.name}' has several inputs: {', '.join(declared)}"
            raise fail("wrong-input", message, help="give the sizes by name")
        input = {next(iter(declared)): input}
    dtypes = {declared.name: declared.dtype for declared in spec.inputs}
    types: dict[str, TensorType] = {}
    for name, sizes in input.items():
        if name not in declared:
            raise fail("wrong-input", f"'{spec.name}' has no input '{name}'", help=did_you_mean(name, declared))
        try:
            types[name] = TensorType(_checked_sizes(_plain_sizes(sizes)), dtypes[name])
        except ValueError as error:
            help = "without the batch axis, as in (3, 224, 224)"
            raise fail("wrong-input", f"the shape of '{name}' is {error}", help=help) from error
        type = declared[name]
        if type is not None and type.rank != types[name].rank:
            message = f"{'x'.join(map(str, types[name].sizes))} does not fit the input {type}"
            raise fail("wrong-input", message, help=f"give {len(type.sizes)} sizes, without the batch axis")
    return types
