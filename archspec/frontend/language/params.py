"""Params: their values, from defaults, a variant or the caller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.diagnostics import ArchspecError, Diagnostic
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.expressions.values import INVALID, Bare, Data, Invalid
from archspec.frontend.language.fields import Field
from archspec.frontend.limits import MAX_ERRORS


def default_values(params: Mapping[str, Field]) -> tuple[Environment, tuple[Diagnostic, ...]]:
    """The default values of params, and the errors in them."""
    errors: list[Diagnostic] = []
    return param_values(params, {}, {}, errors), tuple(errors)


def param_values(
    params: Mapping[str, Field],
    chosen: Mapping[str, Field],
    overrides: Mapping[str, Data],
    errors: list[Diagnostic],
) -> dict[str, Any]:
    """The value of each param: from `overrides`, else from `chosen`, else its default.

    A param whose value cannot be evaluated is `INVALID`, and what is wrong with it is added to `errors`.
    """
    values: dict[str, Any] = {}
    order = {name: number for number, name in enumerate(params)}
    for name, default in params.items():
        field = chosen.get(name, default)
        below = [other for other in field.names if order.get(other, 0) > order[name]]
        if name in overrides:
            values[name] = overrides[name]
        elif len(errors) >= MAX_ERRORS:
            values[name] = INVALID
        elif below:
            first = min(below, key=order.__getitem__)
            message, help = f"'{first}' is defined below '{name}'", "params come in order: move it up"
            errors.append(Diagnostic("unknown-name", message, field.span, help=help))
            values[name] = INVALID
        else:
            try:
                values[name] = _as_text(field.evaluate(values))
            except Invalid:
                values[name] = INVALID
            except ArchspecError as error:
                errors += error.diagnostics
                values[name] = INVALID
    return values


def _as_text(value: Data) -> Data:
    """The value of a param: a bare word that resembles no name is a text."""
    return str(value) if isinstance(value, Bare) and value.meant is None else value
