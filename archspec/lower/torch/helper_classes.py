"""The text of the classes and functions in `helpers/`, to be copied into generated source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from archspec.lower.text.definitions import definitions
from archspec.lower.torch.module_call import Helper

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

    A class that depends on the number of spatial axes is written for two. For `d` axes, `2d` is replaced by `{d}d`,
    `tuple[int, int]` by a tuple of `d` integers and `(1, 1)` by `d` ones; nothing else in such a class may depend on
    it.

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
    text = text.replace("2d", f"{axes}d").replace("tuple[int, int]", f"tuple[{sizes}]")
    return class_name(kind, axes), text.replace("(1, 1)", repr((1,) * axes))


def helpers(keys: Iterable[Helper]) -> dict[str, str]:
    """The source text of each helper by its name; a function that others call comes before them."""
    texts: dict[str, str] = {}
    for kind, axes in keys:
        name, text = helper(kind, axes)
        texts |= {} if isinstance(axes, str) else _called(text)
        texts[name] = text
    return texts


def _called(text: str) -> dict[str, str]:
    """The functions of `helpers/` that a helper calls, those that they call first."""
    called: dict[str, str] = {}
    for name, function in helper_classes().items():
        if function.startswith("def ") and re.search(rf"\b(?<!def ){name}\(", text):
            called |= {**_called(function), name: function}
    return called
