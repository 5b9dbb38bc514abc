"""A random network with weights, inputs, and what it must compute, by PyTorch's own functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf, sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import archspec
from archspec.ir.graph import Graph, Value
from archspec.ir.types import DType
from archspec.network import Network
from tests.op_references import results
from tests.random_networks.text import text_of

Array = NDArray[Any]
Arrays = Mapping[str, Array]

BATCH = 2

TINY = float(np.finfo(np.float32).tiny)
"""Smaller numbers are 0 in some programs."""

NOISE = 1e-6
"""How far each value is moved, as a part of itself, to see how far rounding may move the outputs."""

AMPLE = 10
"""How much further than that an exact network may be off."""

TOLERANCE = 1e-4
"""How far an output may be off, as a part of its largest value."""


@dataclass
class Case:
    """A spec, compiled, and the seed of its weights and inputs."""

    spec: dict[str, Any]
    seed: int = 0
    refused: set[str] = field(default_factory=set)
    """The targets that cannot express it, and say so."""

    @cached_property
    def text(self) -> str:
        return text_of(self.spec)

    @cached_property
    def network(self) -> Network:
        return archspec.parse(self.text, name="random.yaml")

    @property
    def graph(self) -> Graph:
        return self.network.graph

    @cached_property
    def weights(self) -> Arrays:
        """Random weights, with positive variances."""
        return random_weights(self.graph, self.seed)

    @cached_property
    def inputs(self) -> Arrays:
        return random_inputs(self.graph, self.seed)

    @cached_property
    def expected(self) -> Expected:
        """The outputs at inference."""
        return Expected.of(self.graph, self.weights, self.inputs)

    def draws(self, seed: int) -> Case:
        """The same network with other weights and inputs."""
        again = Case(self.spec, seed)
        if "network" in self.__dict__:
            again.network = self.network
        return again


@dataclass(frozen=True)
class Expected:
    """The outputs of a network by name, and how far each of them may be off."""

    outputs: Arrays
    tolerances: Mapping[str, float]

    @classmethod
    def of(cls, graph: Graph, weights: Arrays, inputs: Arrays) -> Expected:
        exact, *moved = (evaluate(graph, weights, inputs, noise=noise) for noise in (0, NOISE, -NOISE))
        finite = is_finite(exact)
        outputs: dict[str, Array] = {}
        tolerances: dict[str, float] = {}
        for output in graph.inference_outputs:
            wanted = outputs[output.name] = exact[output.value].numpy()
            tolerances[output.name] = inf
            if wanted.size and finite:
                rounding = max(float(np.abs(wanted - each[output.value].numpy()).max()) for each in moved)
                off = TOLERANCE * max(float(np.abs(wanted).max()), 1e-2) + AMPLE * rounding
                tolerances[output.name] = off
        return cls(outputs, tolerances)

    def differences(self, actual: Arrays) -> Iterator[str]:
        """How other outputs differ from these; where any value is not finite, they are compared by shapes alone."""
        if list(actual) != list(self.outputs):
            yield f"outputs {list(actual)} instead of {list(self.outputs)}"
            return
        for name, wanted in self.outputs.items():
            got = actual[name]
            if got.shape != wanted.shape or got.dtype != wanted.dtype:
                yield f"'{name}' is {got.dtype} {got.shape} instead of {wanted.dtype} {wanted.shape}"
            elif np.isfinite(wanted).all() and np.isfinite(self.tolerances[name]):
                off = np.abs(got.astype(np.float64) - wanted).max()
                if not off <= self.tolerances[name]:
                    yield f"'{name}' is off by {off:.3g}, where at most {self.tolerances[name]:.2g} is rounding"


def is_finite(values: Mapping[Value, Tensor]) -> bool:
    """Whether no value is infinite or no number: from there on, programs may differ."""
    return all(bool(tensor.isfinite().all()) for tensor in values.values())


def evaluate(graph: Graph, weights: Arrays, inputs: Arrays, noise: float = 0) -> dict[Value, Tensor]:
    """Every value of a graph, layer by layer by PyTorch's own functions; with noise on each value."""
    tensors = {key: torch.from_numpy(array) for key, array in weights.items()}
    return evaluate_tensors(graph, tensors, {name: torch.from_numpy(each) for name, each in inputs.items()}, noise)


def evaluate_tensors(
    graph: Graph, weights: Mapping[str, Tensor], inputs: Mapping[str, Tensor], noise: float = 0
) -> dict[Value, Tensor]:
    """`evaluate` for tensors, through which gradients flow."""
    made = {value: inputs[value.name] for value in graph.inputs}
    dtype = next((tensor.dtype for tensor in made.values() if tensor.is_floating_point()), torch.float32)
    random = torch.Generator().manual_seed(1)
    for node in graph.nodes:
        own = {weight.name: weights[node.weight_key(weight)] for weight in node.weights}
        outputs = results(node.op, [made[value] for value in node.inputs], own)
        for value, output in zip(node.outputs, outputs, strict=True):
            made[value] = output.to(dtype) if output.is_floating_point() else output
            if noise and output.is_floating_point():
                made[value] = made[value] * (1 + noise * torch.randn(output.shape, generator=random))
                made[value] = made[value].masked_fill(made[value].abs() < TINY, 0)
    return made


def random_weights(graph: Graph, seed: int, low: float = -1.0) -> Arrays:
    """Weights between `low` and 1; variances are positive, and what a recurrent layer keeps of its state shrinks.

    A state that grows would make rounding grow, too, from each position to the next.
    """
    random = np.random.default_rng(seed)
    arrays: dict[str, Array] = {}
    for key, weight in graph.weights():
        array = random.uniform(0.2 if key.endswith("running_var") else low, 1, weight.shape)
        shrunk = array / sqrt(weight.shape[-1]) if ".weight_hh_" in key else array
        arrays[key] = shrunk.astype(weight.dtype.value)
    return arrays


def random_inputs(graph: Graph, seed: int, batch: int = BATCH) -> Arrays:
    """Values for the inputs: entries of tables and boxes where they are read as such."""
    random = np.random.default_rng(seed)
    arrays: dict[str, Array] = {}
    for value in graph.inputs:
        shape = (batch, *value.type.sizes)
        readers = [node for node in graph.nodes if value in node.inputs]
        if value.type.dtype is DType.INT64:
            entries = [getattr(node.op, "entries", 1) for node in readers]
            arrays[value.name] = random.integers(0, min(entries, default=1), shape)
        elif any(node.op.kind.startswith("roi_") and node.inputs[1] is value for node in readers):
            corners = random.uniform(-2, 9, (batch, *value.type.sizes[:-1], 2, 2))
            arrays[value.name] = np.sort(corners, axis=-2).reshape(shape).astype(np.float32)
        else:
            arrays[value.name] = random.normal(0, 2, shape).astype(np.float32)
    return arrays
