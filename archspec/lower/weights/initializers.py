"""Initial values of weights: the distributions of `torch.nn.init`, drawn with NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from math import hypot, prod, sqrt
from typing import Any

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from archspec.diagnostics import fail
from archspec.ir.graph import Graph, Node
from archspec.ir.initializers import gain, misfit
from archspec.ir.types import Weight
from archspec.lower.weights.loading import Weights

Floats = NDArray[np.float32]
Shape = tuple[int, ...]
InitOptions = Mapping[str, Any]


def initial(graph: Graph, seed: int = 0) -> Weights:
    """Initial values for every weight of a graph, by its name in the state dict.

    The same seed gives the same values. Each weight has its own stream of random numbers, which depends only on the
    seed and its name: changes elsewhere in the network do not affect it.

    Raises:
        ArchspecError: an initializer does not support the shape of its weight.
    """
    return {
        node.weight_key(weight): _values(node, weight, seed)
        for node in graph.nodes
        if node.owner is None
        for weight in node.weights
    }


def _values(node: Node, weight: Weight, seed: int) -> NDArray[Any]:
    kind, options = weight.initializer.kind, weight.initializer.options
    reason = misfit(kind, weight.shape)
    if reason is not None:
        raise fail(
            "wrong-value",
            f"{reason}, and '{node.weight_key(weight)}' has shape {list(weight.shape)}",
            node.span,
            help="initialize it with uniform, normal or a number",
        )
    digest = sha256(f"{seed}:{node.weight_key(weight)}".encode()).digest()
    random = Generator(PCG64(int.from_bytes(digest, "big")))
    return _DRAW[kind](random, weight.shape, options).astype(weight.dtype.value, copy=False)


def fans(shape: Shape) -> tuple[int, int]:
    """Fan in and fan out: the size of axis 1 and of axis 0, each times the taps of the kernel.

    As `torch.nn.init` computes them, also for a transposed convolution, whose axes are swapped.
    """
    taps = prod(shape[2:])
    return shape[1] * taps, shape[0] * taps


def _full(value: float) -> Callable[[Generator, Shape, InitOptions], Floats]:
    return lambda random, shape, options: np.full(shape, value, np.float32)


def _constant(random: Generator, shape: Shape, options: InitOptions) -> Floats:
    return np.full(shape, options["value"], np.float32)


def _listed(random: Generator, shape: Shape, options: InitOptions) -> Floats:
    """The numbers of the spec, repeated along axes before those that are listed."""
    return np.broadcast_to(np.array(options["values"], np.float32), shape).copy()


def _uniform(random: Generator, shape: Shape, options: InitOptions) -> Floats:
    return _between(random, shape, options["low"], options["high"])


def _normal(random: Generator, shape: Shape, options: InitOptions) -> Floats:
    return _spread(random, shape, options.get("std", 1.0), options.get("mean", 0.0))


def _between(random: Generator, shape: Shape, low: float, high: float) -> Floats:
    values = random.random(shape, np.float32)
    values *= high - low
    values += low
    return values


def _spread(random: Generator, shape: Shape, std: float, mean: float = 0.0) -> Floats:
    values = random.standard_normal(shape, np.float32)
    values *= std
    values += mean
    return values


_BOUND = 2.0
"""`trunc_normal` is cut at -2 and 2 for any standard deviation: the default of `torch.nn.init.trunc_normal_`."""

_KNOTS = 2**14
"""Points at which the distribution function is tabulated: enough that no sample shows the interpolation."""

_TINY = 1e-30
"""Used in place of a standard deviation of 0."""


def _trunc_normal(random: Generator, shape: Shape, options: InitOptions) -> Floats:
    """Inverse transform sampling, with the distribution function tabulated where the density is not negligible.

    The table is centered on the point of [-2, 2] nearest to the mean, so that a mean far outside is no less accurate.
    """
    mean, std = options["mean"], abs(options["std"]) or _TINY
    mode = min(max(mean, -_BOUND), _BOUND)
    reach = hypot(mode - mean, 9 * std)
    knots = np.linspace(max(-_BOUND, mean - reach), min(_BOUND, mean + reach), _KNOTS)
    density = np.exp((mode - knots) / std * ((mode + knots - 2 * mean) / (2 * std)))
    mass = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return np.interp(random.random(shape), mass / mass[-1], knots).astype(np.float32)


def _xavier_uniform(random: Generator, shape: Shape, options: InitOptions) -> Floats:
    """Uniform within gain * sqrt(6 / (fan in + fan out)); Glorot and Bengio 2010, equation 16."""
    bound = options["gain"] * sqrt(6 / sum(fans(shape)))
    return _between(random, shape, -bound, bound)


def _xavier_normal(random: Generator, shape: Shape, options: InitOptions) -> Floats:
    """Normal of standard deviation gain * sqrt(2 / (fan in + fan out)); Glorot and Bengio 2010."""
    return _spread(random, shape, options["gain"] * sqrt(2 / sum(fans(shape))))


def _kaiming_uniform(random: Generator, shape: Shape, options: InitOptions) -> Floats:
    """Uniform within gain * sqrt(3 / fan); He et al. 2015."""
    bound = sqrt(3) * _kaiming_std(shape, options)
    return _between(random, shape, -bound, bound)


def _kaiming_normal(random: Generator, shape: Shape, options: InitOptions) -> Floats:
    """Normal of standard deviation gain / sqrt(fan); He et al. 2015, equations 10 and 14."""
    return _spread(random, shape, _kaiming_std(shape, options))


def _kaiming_std(shape: Shape, options: InitOptions) -> float:
    fan = fans(shape)[options["mode"] == "fan_out"]
    return gain(options["nonlinearity"]) / sqrt(fan)


def _orthogonal(random: Generator, shape: Shape, options: InitOptions) -> Floats:
    """Orthonormal rows, or columns where those are fewer, times the gain; Saxe et al. 2014.

    The signs of R's diagonal make the distribution uniform: Mezzadri, arXiv:math-ph/0609050.
    """
    rows, columns = shape[0], prod(shape[1:])
    matrix = random.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(matrix)
    q *= np.sign(np.diag(r))
    values: Floats = (q if rows >= columns else q.T).reshape(shape).astype(np.float32)
    return values * np.float32(options["gain"])


def _dirac(random: Generator, shape: Shape, options: InitOptions) -> Floats:
    """One in the middle of the kernel from each channel to the same channel, zero elsewhere."""
    values = np.zeros(shape, np.float32)
    middle = tuple(size // 2 for size in shape[2:])
    for channel in range(min(shape[:2])):
        values[(channel, channel, *middle)] = 1
    return values


def _bilinear(random: Generator, shape: Shape, options: InitOptions) -> Floats:
    """The weights of linear interpolation from each channel to the same channel, zero elsewhere.

    Along an axis of f taps they decrease linearly from the middle, (f - 1) / 2, to zero at distance ceil(f / 2): Long,
    Shelhamer and Darrell 2015. A depthwise weight has them for each channel.
    """
    kernel = np.ones(())
    for size in shape[2:]:
        kernel = np.multiply.outer(kernel, 1 - np.abs(np.arange(size) - (size - 1) / 2) / ((size + 1) // 2))
    values = np.zeros(shape, np.float32)
    values[range(shape[0]), [channel % shape[1] for channel in range(shape[0])]] = kernel
    return values


def _distances(random: Generator, shape: Shape, options: InitOptions) -> NDArray[np.int64]:
    """The number of the distance from each position of a window to each other, the last axis counting fastest.

    Along an axis of size n, distances from 1 - n to n - 1 are numbered from 0: Liu et al. 2021, section 3.2.
    """
    window = options["window"]
    positions = np.indices(window).reshape(len(window), -1)
    distances = positions[:, :, None] - positions[:, None] + np.reshape(window, (-1, 1, 1)) - 1
    numbers: NDArray[np.int64] = np.ravel_multi_index(tuple(distances), [2 * size - 1 for size in window])
    return numbers.reshape(shape)


_DRAW: Mapping[str, Callable[[Generator, Shape, InitOptions], NDArray[Any]]] = {
    "zeros": _full(0.0),
    "ones": _full(1.0),
    "constant": _constant,
    "values": _listed,
    "uniform": _uniform,
    "normal": _normal,
    "trunc_normal": _trunc_normal,
    "xavier_uniform": _xavier_uniform,
    "xavier_normal": _xavier_normal,
    "kaiming_uniform": _kaiming_uniform,
    "kaiming_normal": _kaiming_normal,
    "orthogonal": _orthogonal,
    "dirac": _dirac,
    "bilinear": _bilinear,
    "distances": _distances,
}
