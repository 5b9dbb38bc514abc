"""Placing a module: device, precision, memory layout and compilation, by documented rules.

The rules of `memory_format="auto"` and of `compiled=True`:

- Channels last if the network convolves over 2 or 3 axes and the device has kernels for it: on a CPU, whose library
  blocks channels anyway, and on a GPU in float16 or bfloat16, since tensor cores read channels last. In float32 on a
  GPU the layout is unchanged, and also if the network pools averages over padding: there PyTorch's gradients are wrong
  in channels last (pytorch/pytorch#188344).
- On a CPU in float32 ONNX Runtime runs the network, if it is installed and ONNX can express the network: it is the
  fastest of all that `tools/bench_models.py` compares on a CPU, and ready within seconds. Wide convolutions of 3x3 are
  computed by Winograd's algorithm, which rounds differently: see `archspec/runtime/winograd.py`. Calls with gradients
  or at other sizes run the module: see `archspec/runtime/accelerated.py`.
- Otherwise on a CPU, `torch.compile` freezes the weights, so that it can lay them out once and fuse the layers after a
  convolution. It uses the weights of the first call: compile a module after loading its weights.
- Either way, call it without gradients.
- On a GPU, `torch.compile` runs with `max-autotune`: it selects kernels by measuring them and replays the network as a
  CUDA graph, which saves a launch per kernel.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from archspec.diagnostics import did_you_mean, fail
from archspec.ir.graph import Graph
from archspec.ops.conv import Conv, ConvTranspose
from archspec.ops.pool import AvgPool
from archspec.runtime.accelerated import AcceleratedModule, runtime_of
from archspec.runtime.options import LAYOUTS, Layout

_CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


def device_of(name: torch.device | str) -> torch.device:
    """The device with a name such as `cpu` or `cuda:1`.

    Raises:
        ArchspecError: this machine has no such device.
    """
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:  # AssertionError from a PyTorch built without CUDA
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
    """The module, moved, converted and compiled as the arguments say; unchanged by default.

    The module is compiled at its first call, which takes tens of seconds with `torch.compile`.

    Raises:
        ArchspecError: this machine has no such device, or there is no such layout or precision.
    """
    if memory_format not in (None, *LAYOUTS):
        help = did_you_mean(str(memory_format), LAYOUTS)
        raise fail("wrong-value", f"unknown memory format '{memory_format}'", help=help)
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        help = "use a floating-point type of torch, such as torch.bfloat16"
        raise fail("wrong-value", f"{dtype!r} is not a precision for a network", help=help)
    target = device_of(torch.get_default_device() if device is None else device)
    precision = torch.get_default_dtype() if dtype is None else dtype
    module = module.to(device=None if device is None else target, dtype=dtype)
    chosen = layout(graph, target, precision, memory_format)
    if chosen is not None:
        _set_layout(module, chosen)
    if not compiled:
        return module
    if target.type == "cpu" and precision == torch.float32 and (runtime := runtime_of(module, graph)) is not None:
        return AcceleratedModule(module, graph, runtime)
    if target.type == "cpu":
        return cast(nn.Module, torch.compile(module, options={"freezing": True}))
    return cast(nn.Module, torch.compile(module, mode="max-autotune"))


def _set_layout(module: nn.Module, chosen: torch.memory_format) -> None:
    """Give a layout to the weights with its number of axes. `module.to` rejects a module that has others as well."""
    axes = next(2 + count for count, format in _CHANNELS_LAST.items() if format is chosen)
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.dim() == axes:
            tensor.data = tensor.data.contiguous(memory_format=chosen)


def layout(
    graph: Graph, target: torch.device, dtype: torch.dtype, requested: Layout | None
) -> torch.memory_format | None:
    """The layout for the weights; None if they keep theirs."""
    if requested in (None, "contiguous"):
        return None
    axes = {len(node.inputs[0].type.spatial) for node in graph.nodes if isinstance(node.op, Conv | ConvTranspose)}
    last = _CHANNELS_LAST.get(axes.pop()) if len(axes) == 1 else None
    if requested == "channels_last" or target.type == "cpu":
        return last
    return last if dtype in (torch.float16, torch.bfloat16) and not _has_padded_average_pool(graph) else None


def _has_padded_average_pool(graph: Graph) -> bool:
    pools = ((node.op, node.inputs[0].type) for node in graph.nodes if isinstance(node.op, AvgPool))
    return any(any(map(any, op.sliding(type).pads)) for op, type in pools)
