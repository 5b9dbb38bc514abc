"""The result of a rule: how an op is written in PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

from archspec.lower.text.code_model import Call

Helper = tuple[str, int | str]
"""A class that the source defines: its name in `helpers/` without `2d`, and the number of spatial axes or 0.

For the op of a plugin, the name of the class and its text."""


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """How an op is written: as a module, as a function in `forward`, or as either.

    A function may read a parameter.
    """

    module: Call | None = None
    function: Call | None = None
    parameter: Call | None = None
    """The parameter that the surrounding module holds for it; `{weight}` in the function's template."""
    arguments: str | None = None
    """The template of what the module is called with, if not with all inputs in their order: `{x0}, mask={x1}`."""
    helper: Helper | None = None
    """The class or the function that the source must define for it."""
    checked: ModuleCall | None = None
    """How it is written where some sizes of the inputs lead to sizes that the op refuses and PyTorch does not.

    `size_checks` finds out whether they do."""
