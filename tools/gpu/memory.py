"""The memory of activations on a GPU, compared with the prediction from the graph, in float32."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from archspec.network import Network


@dataclass(frozen=True)
class Peak:
    """The bytes of the activations of one batch, measured and predicted."""

    network: str
    mode: str
    batch: int
    measured: int
    predicted: int

    def line(self) -> str:
        """One row of the table."""
        ratio = f"{self.measured / self.predicted:6.2f} x of the prediction"
        return f"  {self.network:<32} {self.mode:<10} {self.batch:>4}  {self.measured / 1e6:10,.0f} MB  {ratio}"


def peaks(net: Network, batch: int, device: torch.device) -> list[Peak]:
    """The peak at inference, and the bytes kept for the backward pass in training; both include the inputs.

    The measurement includes the workspace of PyTorch's kernels. Values computed in place count once.
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
