"""Compare the outputs and gradients of networks on a device with those on the CPU.

The reference is float64 on the CPU. Rounding errors differ between networks, so the allowed error of a device is
relative to the error of the CPU in the same precision: four times that error, or `FLOOR` if that is more.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

import torch
from torch import Tensor, nn

from archspec.network import Network

FLOOR = {"float32": 1e-4, "channels last": 1e-4, "bfloat16": 0.1}
"""The error that is always accepted, relative to the norm of the reference, by mode."""

FACTOR = 4


@dataclass(frozen=True)
class Agreement:
    """The errors of one network on a device: the norm of the difference, divided by the norm of the reference."""

    network: str
    way: str
    forward: float
    backward: float
    allowed: tuple[float, float]
    reason: str = ""
    """Why the network could not run."""

    @property
    def good(self) -> bool:
        """Whether both errors are allowed; NaN is not."""
        return not self.reason and self.forward <= self.allowed[0] and self.backward <= self.allowed[1]

    def line(self) -> str:
        """One row of the table."""
        if self.reason:
            return f"  {self.network:<32} {self.way:<14} CANNOT RUN: {self.reason}"
        word = "agrees" if self.good else "DIFFERS"
        return f"  {self.network:<32} {self.way:<14} forward {self.forward:.1e}  backward {self.backward:.1e}  {word}"

    def as_json(self) -> dict[str, Any]:
        """The row as one object; NaN and infinity become null."""
        numbers = {"forward": self.forward, "backward": self.backward}
        finite = {key: number if isfinite(number) else None for key, number in numbers.items()}
        return {**vars(self), **finite, "good": self.good}


def agreements(net: Network, device: torch.device) -> Iterator[Agreement]:
    """One network in every mode: float32, channels last, bfloat16. It is in eval mode, which is deterministic."""
    torch.manual_seed(0)
    module = net.to_torch().eval()
    inputs = [
        torch.randn(1, *value.type.sizes)
        if value.type.dtype.value == "float32"
        else torch.zeros(1, *value.type.sizes, dtype=torch.int64)
        for value in net.graph.inputs
    ]
    truth = _run(module, inputs, torch.device("cpu"), torch.float64)
    lost = {dtype: _lost(module, inputs, dtype, truth) for dtype in (torch.float32, torch.bfloat16)}
    for way in FLOOR:
        dtype = torch.bfloat16 if way == "bfloat16" else torch.float32
        forward, backward = (max(FLOOR[way], FACTOR * off) for off in lost[dtype])
        try:
            here = _run(module, inputs, device, dtype, channels_last=way == "channels last")
        except RuntimeError as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            yield Agreement(net.name, way, nan, nan, (forward, backward), reason)
        else:
            off = [_off(got, right) for got, right in zip(here, truth, strict=True)]
            yield Agreement(net.name, way, off[0], off[1], (forward, backward))


def _lost(
    module: nn.Module, inputs: Sequence[Tensor], dtype: torch.dtype, truth: tuple[list[Tensor], list[Tensor]]
) -> list[float]:
    """The errors of the CPU in a precision; zero if it lacks a kernel."""
    try:
        found = _run(module, inputs, torch.device("cpu"), dtype)
    except RuntimeError:
        return [0.0, 0.0]
    return [_off(got, right) for got, right in zip(found, truth, strict=True)]


def _run(
    module: nn.Module,
    inputs: Sequence[Tensor],
    device: torch.device,
    dtype: torch.dtype,
    *,
    channels_last: bool = False,
) -> tuple[list[Tensor], list[Tensor]]:
    """The outputs, and the gradients of all weights and inputs, in float64 on the CPU."""
    there = copy.deepcopy(module).to(device, dtype)
    if channels_last and all(value.dim() == 4 for value in inputs):
        there = there.to(memory_format=torch.channels_last)
    given = [
        value.to(device, dtype, copy=True).requires_grad_() if value.is_floating_point() else value.to(device)
        for value in inputs
    ]
    returned = there(*given)
    outputs = list(returned) if isinstance(returned, tuple | list) else [returned]
    loss = sum((_wave(output) * output).sum() for output in outputs if output.is_floating_point())
    loss.backward()
    learned = [*there.parameters(), *(value for value in given if value.is_floating_point())]
    gradients = [tensor.grad for tensor in learned if tensor.grad is not None]
    return tuple([tensor.detach().to("cpu", torch.float64) for tensor in some] for some in (outputs, gradients))


def _wave(like: Tensor) -> Tensor:
    """Weights for a sum of outputs, equal on every device, without a symmetry that could cancel terms."""
    return torch.sin(torch.arange(like.numel(), dtype=torch.float64)).reshape(like.shape).to(like.device, like.dtype)


def _off(got: Sequence[Tensor], right: Sequence[Tensor]) -> float:
    """The norm of the difference of all tensors together, divided by the norm of the reference."""
    squares = sum(float((a - b).square().sum()) for a, b in zip(got, right, strict=True))
    whole = sum(float(b.square().sum()) for b in right)
    return (squares / whole) ** 0.5 if whole else squares**0.5
