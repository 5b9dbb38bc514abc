"""How each op is written in Keras, one file per family of ops. Importing this package registers all rules."""

from __future__ import annotations

from archspec.lower.keras.rules import (  # noqa: F401 - each registers its rules
    activation,
    attention,
    conv,
    dropout,
    function,
    linear,
    merge,
    norm,
    parameters,
    pool,
    recurrent,
    reduce,
    reshape,
    roi,
    shuffle,
    slicing,
    spatial,
    unpool,
)
from archspec.lower.keras.rules.common import RULES

__all__ = ["RULES"]
