"""The rules of PyTorch, one file per family of ops. Importing this package registers all of them."""

from __future__ import annotations

from archspec.lower.torch.rules import (  # noqa: F401 - each registers its rules
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
from archspec.lower.torch.rules.common import RULES, with_shared_weights

__all__ = ["RULES", "with_shared_weights"]
