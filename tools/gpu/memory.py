"""Memory of activations on a GPU beside what the compiler predicts from the graph, in float32."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from archspec.network import Network


@dataclass(frozen=True)
class Peak:
    """Bytes of activations of one batch, as allocated and as predicted."""

    network: str
    mode: str
    batch: int
    measured: int
    predicted: int

    def line(self) -> str:
        """One row of the table."""
        ratio = f"{self.measured / self.predicted:6.2f} x of what was predicted"
        return f"  {self.network:<32} {self.mode:<10} {self.batch:>4}  {self.measured / 1e6:10,.0f} MB  {ratio}"


def peaks(net: Network, batch: int, device: torch.device) -> list[Peak]:
    """The peak at inference, and what a forward pass in training keeps for the backward pass; inputs count in both.

    What PyTorch's kernels take to work in counts as measured. What it computes in place it does not keep twice.
    """
    module = net.to_torch(device=device)
    samples = sum(value.type.bytes for value in net.graph.inputs)
    before = torch.cuda.memory_allocated(device)
    measured = {}
    for mode in ("inference", "training"):
        torch.cuda.reset_peak_memory_stats(device)
        images = [torch.randn(batch, *sizes, device=device) for sizes in net.inputs.values()]
        with torch.set_grad_enabled(mode == "training"):
            output = module.train(mode == "training")(*images)
        kept = torch.cuda.memory_allocated if mode == "training" else torch.cuda.max_memory_allocated
        measured[mode] = kept(device) - before
        del images, output
    predicted = {"inference": net.memory.peak, "training": net.memory.total + samples}
    return [Peak(net.name, mode, batch, bytes, batch * predicted[mode]) for mode, bytes in measured.items()]
