"""How fast a compiled network runs on a device, and how near that is to what the device can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from archspec.lower.optional_deps import require
from archspec.network import Network
from archspec.report import text_table, units

if TYPE_CHECKING:
    from torch import nn

    from archspec.runtime.options import Layout, Precision
    from archspec.runtime.timing import Limits, Spread

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True, slots=True)
class Way:
    """How a network is to run; see `Network.to_torch`."""

    device: str = "cpu"
    dtype: Precision = "float32"
    layout: Layout = "contiguous"
    optimized: bool = False
    compiled: bool = False


_MORE = "over 100%: convolutions that are worked out with fewer products than counted"


@dataclass(frozen=True, slots=True)
class Run:
    """One measurement.

    Attributes:
        what: `latency` or `throughput`.
        batch: samples in a call.
        time: seconds of a call.
        macs: multiply-accumulates of a call.
        bytes: bytes that a call has to move: each weight read once, each input and each layer's output once.
        limits: what the device reached at best, in the same process.
    """

    what: str
    batch: int
    time: Spread
    macs: int
    bytes: int
    limits: Limits

    @property
    def samples_per_second(self) -> float:
        return self.batch / self.time.median

    @property
    def arithmetic_share(self) -> float:
        """Multiply-accumulates in a second, over those of a large matrix product.

        More than 1 is possible: some algorithms for convolution multiply less than the formula.
        """
        return self.macs / self.time.median / self.limits.macs

    @property
    def bandwidth_share(self) -> float:
        """Bytes in a second, over those of a large copy. What caches keep need not move, so more than 1 is possible."""
        return self.bytes / self.time.median / self.limits.bytes

    def as_json(self) -> dict[str, Any]:
        """The measurement as one object, times in seconds."""
        return {
            "what": self.what,
            "batch": self.batch,
            "seconds": asdict(self.time),
            "samples_per_second": self.samples_per_second,
            "macs": self.macs,
            "bytes": self.bytes,
            "arithmetic_share": self.arithmetic_share,
            "bandwidth_share": self.bandwidth_share,
        }


@dataclass(frozen=True, slots=True)
class Bench:
    """The measurements of one network on one device.

    Attributes:
        network: its name.
        inputs: the sizes of its inputs by name, for one sample.
        way: how it was to run.
        layout: how images lay in memory, which may be what suited the device.
        device: what the device is called.
        torch: the version of PyTorch.
        limits: what the device reached at best.
        runs: the measurements.
    """

    network: str
    inputs: Mapping[str, Sequence[int]]
    way: Way
    layout: str
    device: str
    torch: str
    limits: Limits
    runs: tuple[Run, ...]

    def as_json(self) -> dict[str, Any]:
        """Everything as one object, times in seconds."""
        return {
            "network": self.network,
            "inputs": {name: list(sizes) for name, sizes in self.inputs.items()},
            "device": self.device,
            "torch": self.torch,
            "way": asdict(self.way),
            "layout": self.layout,
            "limits": {"macs_per_second": self.limits.macs, "bytes_per_second": self.limits.bytes},
            "runs": [run.as_json() for run in self.runs],
        }

    def text(self) -> str:
        """A head and a table, and a word on shares that surprise."""
        words = [name for name in ("optimized", "compiled") if getattr(self.way, name)]
        how = ", ".join([self.way.dtype, self.layout.replace("_", " "), *words])
        head = ("", "batch", "median", "quartiles", "samples/s", "arithmetic", "bandwidth")
        table = text_table.fitting([head, *map(_row, self.runs)], None, left=1, needed=len(head))
        inputs = " and ".join(map(units.size, self.inputs.values()))
        title = f"{self.network}, {inputs}, on {self.device}, PyTorch {self.torch}"
        macs, bytes = f"{self.limits.macs / 1e9:,.3g} GMAC/s", f"{units.memory(round(self.limits.bytes))}/s"
        limits = f"limits: {macs} in a matrix product, {bytes} in a copy"
        more = any(run.arithmetic_share > 1 for run in self.runs)
        return "\n".join([title, how, limits, "", *table, *(["", _MORE] if more else [])])


def bench(network: Network, way: Way, *, batch: int = 32, seconds: float = 2.0) -> Bench:
    """Measure the latency of one sample and the throughput of a batch, and the limits of the device beside them.

    Args:
        network: what runs, with first values for weights.
        way: where and how.
        batch: samples of a call, for throughput.
        seconds: for each measurement, after some calls that do not count.

    Raises:
        ArchspecError: there is no such device, or PyTorch cannot run the network there, or not in that type.
    """
    require("torch", "a measurement")
    from archspec.runtime import timing
    from archspec.runtime.device import layout as layout_of

    device, dtype = timing.device(way.device), timing.precision(way.dtype)
    chosen = network.optimized() if way.optimized else network

    def module() -> nn.Module:
        return chosen.to_torch(device=device, dtype=dtype, memory_format=way.layout, compiled=way.compiled).eval()

    limits = timing.limits(device, dtype, min(seconds, 1.0))
    runs = []
    for what, samples in (("latency", 1), ("throughput", batch)):
        time = timing.inference(module, chosen.graph, samples, device, dtype, seconds)
        runs.append(Run(what, samples, time, samples * chosen.macs, traffic(chosen, samples, way.dtype), limits))
    layout = layout_of(chosen.graph, device, dtype, way.layout)
    return Bench(
        network.name,
        network.inputs,
        way,
        "contiguous" if layout is None else str(layout).removeprefix("torch."),
        timing.title(device),
        timing.VERSION,
        limits,
        tuple(runs),
    )


def traffic(network: Network, batch: int, dtype: Precision = "float32") -> int:
    """Bytes that a call at inference has to move: each weight once; for each sample its inputs and every output."""
    nodes = [node for node in network.graph.nodes if node not in network.graph.training_only]
    values = [*network.graph.inputs, *(value for node in nodes for value in node.outputs)]
    weights = [weight for node in nodes if node.owner is None for weight in node.weights]
    activations = sum(_bytes(value.type.elements, value.type.dtype.value, dtype) for value in values)
    return batch * activations + sum(_bytes(weight.elements, weight.dtype.value, dtype) for weight in weights)


def _bytes(elements: int, kind: str, dtype: Precision) -> int:
    """Bytes of a tensor in a network of another precision; whole numbers keep theirs."""
    return elements * (_BYTES[dtype] if kind == "float32" else 8)


def _row(run: Run) -> tuple[str, ...]:
    time = run.time
    return (
        run.what,
        f"{run.batch:,}",
        f"{_milliseconds(time.median)} ms",
        f"{_milliseconds(time.lower)} to {_milliseconds(time.upper)} ms",
        _digits(run.samples_per_second),
        f"{run.arithmetic_share:.1%}",
        f"{run.bandwidth_share:.1%}",
    )


def _milliseconds(seconds: float) -> str:
    return _digits(seconds * 1e3)


def _digits(number: float) -> str:
    """A number with three digits, or all those before the point."""
    return f"{number:.3g}" if number < 999.5 else f"{number:,.0f}"
