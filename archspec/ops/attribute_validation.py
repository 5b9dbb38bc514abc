"""Validation of attributes by pydantic: of those that the direct checks leave undecided."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from archspec.ops.attribute_checks import InvalidAttributes
from archspec.ops.attribute_types import attributes_of

if TYPE_CHECKING:
    from archspec.ops.base import Op


def validated(kind: type[Op], attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """All attributes of an op of a class, in the order they are declared, from those that are given.

    Raises:
        InvalidAttributes: an attribute is missing, unknown, or has an invalid value.
    """
    try:
        return vars(_model(kind).model_validate(attributes))
    except ValidationError as error:
        names = dict.fromkeys(str(details["loc"][0]) for details in error.errors(include_url=False))
        raise InvalidAttributes(str(error), tuple(names)) from None


@cache
def _model(kind: type[Op]) -> type[BaseModel]:
    """A model with the attributes of an op."""
    fields: dict[str, Any] = {
        name: (attribute.hint, ... if attribute.required else attribute.default)
        for name, attribute in attributes_of(kind).items()
    }
    return create_model(kind.__name__, __config__=ConfigDict(extra="forbid", strict=True), **fields)
