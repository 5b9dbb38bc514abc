"""Creating the ops of a spec, each once."""

from collections.abc import Mapping
from typing import Any

from archspec.ops.base import Op

_KEPT = 4096
"""Ops kept for the whole process: loading a network again creates none."""

_ops: dict[tuple[type[Op], str], Op] = {}


def create(kind: type[Op], attributes: Mapping[str, Any]) -> Op:
    """The op of a class with these attributes. Equal attributes usually give the same object.

    Raises:
        InvalidAttributes: an attribute is missing, unknown, or has an invalid value.
    """
    key = kind, repr(attributes)
    op = _ops.get(key)
    if op is None:
        if len(_ops) >= _KEPT:
            _ops.clear()
        op = _ops[key] = kind(**attributes)
    return op
