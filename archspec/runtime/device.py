"""A module put where it is to run: device, precision, memory layout, compilation, by rules that are written down.

The rules of `memory_format="auto"` and of `compiled=True`:

- Channels last where the network convolves over 2 or 3 axes and the device has kernels that want it so: on a CPU, whose
  library blocks channels anyway, and on a GPU in half precision or bfloat16, which tensor cores take channels last.
  In float32 on a GPU the layout stays as it is.
- On a CPU in float32 ONNX Runtime runs the network, where it is installed and ONNX can express it: of all that
  `tools/bench_models.py` compares there it is the fastest, and it is ready within seconds. Wide convolutions of 3x3
  take Winograd's form there, which is rounded otherwise: see `archspec/runtime/winograd.py`. Calls with gradients,
  or of other sizes, run the module as it is: see `archspec/runtime/accelerated.py`.
- Else on a CPU `torch.compile` freezes the weights: it can lay them out once, and fuse what follows a convolution. It
  takes them as they are at the first call, so compile a module after it has its weights.
- Either way, call it without gradients.
- On a GPU it compiles with `max-autotune`: kernels are chosen by measuring them, and the whole is replayed as a CUDA
  graph, which spares a launch per kernel.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from archspec.diagnostics import did_you_mean, fail
from archspec.ir.graph import Graph
from archspec.ops.conv import Conv, ConvTranspose
from archspec.runtime.accelerated import AcceleratedModule, host_of
from archspec.runtime.options import LAYOUTS, Layout

_CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


def device_of(name: torch.device | str) -> torch.device:
    """The device of a name, such as `cpu` or `cuda:1`.

    Raises:
        ArchspecError: there is none here.
    """
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:  # the latter from a PyTorch that is built without CUDA
        reason = str(error).splitlines()[0]
        raise fail("wrong-device", f"PyTorch has no device '{name}' here: {reason}") from error


def place(
    module: nn.Module,
    graph: Graph,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    memory_format: Layout | None = None,
    compiled: bool = False,
) -> nn.Module:
    """The module where and how it is to run; by default as it is.

    Compilation happens at the first call; that of `torch.compile` takes tens of seconds.

    Raises:
        ArchspecError: there is no such device here, no such layout, or no such precision.
    """
    if memory_format not in (None, *LAYOUTS):
        help = did_you_mean(str(memory_format), LAYOUTS)
        raise fail("wrong-value", f"there is no memory format '{memory_format}'", help=help)
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        help = "give one of torch's, such as torch.bfloat16"
        raise fail("wrong-value", f"a network cannot have the precision {dtype!r}", help=help)
    target = device_of(torch.get_default_device() if device is None else device)
    precision = torch.get_default_dtype() if dtype is None else dtype
    module = module.to(device=None if device is None else target, dtype=dtype)
    chosen = layout(graph, target, precision, memory_format)
    if chosen is not None:
        _lay_out(module, chosen)
    if not compiled:
        return module
    if target.type == "cpu" and precision == torch.float32 and (host := host_of(module, graph)) is not None:
        return AcceleratedModule(module, graph, host)
    if target.type == "cpu":
        return cast(nn.Module, torch.compile(module, options={"freezing": True}))
    return cast(nn.Module, torch.compile(module, mode="max-autotune"))


def _lay_out(module: nn.Module, chosen: torch.memory_format) -> None:
    """Give the weights that have its axes a layout. `module.to` would refuse a module that also has others."""
    axes = next(2 + count for count, each in _CHANNELS_LAST.items() if each is chosen)
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.dim() == axes:
            tensor.data = tensor.data.contiguous(memory_format=chosen)


def layout(graph: Graph, target: torch.device, dtype: torch.dtype, asked: Layout | None) -> torch.memory_format | None:
    """The layout to give the weights; None where they stay as they are."""
    if asked in (None, "contiguous"):
        return None
    axes = {len(node.inputs[0].type.spatial) for node in graph.nodes if isinstance(node.op, Conv | ConvTranspose)}
    last = _CHANNELS_LAST.get(axes.pop()) if len(axes) == 1 else None
    wanted = asked == "channels_last" or target.type == "cpu" or dtype in (torch.float16, torch.bfloat16)
    return last if wanted else None
