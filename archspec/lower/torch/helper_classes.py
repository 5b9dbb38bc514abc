"""The text of the classes and functions in `helpers/`, to be copied into generated source."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from archspec.lower.text.definitions import definitions

_FOLDER = Path(__file__).with_name("helpers")


@cache
def helper_classes() -> Mapping[str, str]:
    """The source text of each class and function, by its name."""
    return {name: text for file in sorted(_FOLDER.glob("*.py")) for name, text in definitions(file).items()}


def class_name(kind: str, axes: int) -> str:
    """The name of a helper class for a number of spatial axes; 0 if the class does not depend on it."""
    return f"{kind}{axes}d" if axes else kind


def helper(kind: str, axes: int | str = 0) -> tuple[str, str]:
    """The name of a helper class and its source text.

    A class that depends on the number of spatial axes is written for two. For `d` axes, `2d` is replaced by `{d}d` and
    `tuple[int, int]` by a tuple of `d` integers; nothing else in such a class may depend on it.

    Args:
        kind: the name of the class, without `2d`.
        axes: the number of spatial axes, or 0; or the text of the class, if a plugin provides it.
    """
    if isinstance(axes, str):
        return kind, axes.strip("\n") + "\n"
    text = helper_classes()[class_name(kind, 2 if axes else 0)]
    if axes in (0, 2):
        return class_name(kind, axes), text
    sizes = ", ".join(["int"] * axes)
    return class_name(kind, axes), text.replace("2d", f"{axes}d").replace("tuple[int, int]", f"tuple[{sizes}]")
