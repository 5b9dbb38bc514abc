"""The text of the classes in `helpers/`, to be copied into generated source."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from archspec.lower.text.definitions import definitions

_FOLDER = Path(__file__).with_name("helpers")


@cache
def helper_classes() -> Mapping[str, str]:
    """The source text of each class, by its name."""
    return {name: text for file in sorted(_FOLDER.glob("*.py")) for name, text in definitions(file).items()}


def helper(name: str) -> tuple[str, str]:
    """The name of a class and its source text."""
    return name, helper_classes()[name]
