"""Calls that initialize one weight: of `nn.init`, or of a helper function."""

from __future__ import annotations

from archspec.ir.types import Initializer
from archspec.lower.text.formatter import literal


def init_call(target: str, initializer: Initializer) -> str:
    """The call for one weight."""
    if initializer.kind == "bilinear":
        return f"bilinear_({target})"
    options = "".join(f", {name}={literal(value)}" for name, value in init_options(initializer).items())
    return f"nn.init.{initializer.kind}_({target}{options})"


def init_options(initializer: Initializer) -> dict[str, object]:
    """The options of `nn.init`, without those that equal its defaults."""
    options = dict(initializer.options)
    defaults: dict[str, tuple[object, ...]]
    match initializer.kind:
        case "uniform":
            return {"a": options["low"], "b": options["high"]}
        case "constant":
            return {"val": options["value"]}
        case "kaiming_normal" | "kaiming_uniform":
            defaults = {"mode": ("fan_in",), "nonlinearity": ("leaky_relu", "relu")}  # both have the gain sqrt(2)
        case _:
            defaults = {"mean": (0.0,), "gain": (1.0,)}
    return {name: value for name, value in options.items() if value not in defaults.get(name, ())}
