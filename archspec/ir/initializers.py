"""The distributions that initialize weights, by the names of `torch.nn.init`."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

FANS = ("fan_in", "fan_out")
NONLINEARITIES = ("relu", "leaky_relu", "linear", "sigmoid", "tanh", "selu")

Option = float | tuple[str, ...]

INITIALIZERS: Mapping[str, Mapping[str, Option]] = {
    "zeros": {},
    "ones": {},
    "constant": {"value": 0.0},
    "normal": {"mean": 0.0, "std": 1.0},
    "trunc_normal": {"mean": 0.0, "std": 1.0},
    "uniform": {"low": 0.0, "high": 1.0},
    "xavier_normal": {"gain": 1.0},
    "xavier_uniform": {"gain": 1.0},
    "kaiming_normal": {"mode": FANS, "nonlinearity": NONLINEARITIES},
    "kaiming_uniform": {"mode": FANS, "nonlinearity": NONLINEARITIES},
    "orthogonal": {"gain": 1.0},
    "dirac": {},
    "bilinear": {},
}
"""The options of each distribution: a number is a default, a tuple lists the words allowed, the default first.

Sources: Glorot and Bengio 2010 (xavier), He et al. 2015 (kaiming), Saxe et al. 2014 (orthogonal). `trunc_normal` is cut
at -2 and 2, as in PyTorch, whatever its standard deviation.
`dirac` makes a convolution the identity on its channels; `bilinear` makes a transposed convolution interpolate each
channel separately (Long, Shelhamer and Darrell 2015).
"""

OF_MATRICES = frozenset(("xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "orthogonal"))
"""The distributions that depend on a fan in or a fan out, and so need at least two axes."""

OF_KERNELS = frozenset(("dirac", "bilinear"))
"""The distributions for kernels of convolutions only."""


def misfit(kind: str, shape: tuple[int, ...]) -> str | None:
    """Why a distribution cannot initialize a weight of this shape; None if it can."""
    if kind in OF_MATRICES and len(shape) < 2:
        return f"'{kind}' needs two axes"
    if kind in OF_KERNELS and len(shape) < 3:
        return f"'{kind}' is for the kernels of convolutions"
    if kind == "bilinear" and shape[1] not in (1, shape[0]):
        return "'bilinear' needs as many channels after it as before, or one per group"
    return None


def gain(nonlinearity: str) -> float:
    """The factor that keeps the variance through a nonlinearity: `torch.nn.init.calculate_gain`.

    `leaky_relu` is the one of slope 0, as `kaiming_uniform_` and `kaiming_normal_` take it where no slope is given.
    """
    return {"relu": sqrt(2), "leaky_relu": sqrt(2), "tanh": 5 / 3, "selu": 3 / 4}.get(nonlinearity, 1.0)
