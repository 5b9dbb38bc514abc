"""Pooling in PyTorch."""

from __future__ import annotations

from dataclasses import replace

from archspec.ir.graph import Node
from archspec.lower.text.code_model import Constant, call, same
from archspec.lower.torch.module_call import ModuleCall
from archspec.lower.torch.rules.common import RULES, axes_of, both, even, flat, helper_module, same_pads
from archspec.ops import pool
from archspec.ops.geometry import Pads, ceil_pads_at_any_size, extent
from archspec.ops.sliding import Sliding


def _plain_padding(window: Sliding) -> bool:
    """Whether PyTorch's pooling layers support this padding: symmetric, and at most half the kernel."""
    return window.symmetric and all(pads[0] <= kernel // 2 for kernel, _, _, pads in window.axes)


def _ceil_pads(window: Sliding) -> tuple[Pads, ...]:
    """The padding with which the number of positions is rounded up, at every input size."""
    return tuple(ceil_pads_at_any_size(*axis) for axis in window.axes)


def _rounds_up(window: Sliding) -> bool:
    """Whether rounding the number of positions up is what the padding does, which is that of `same`."""
    return all(pads[0] == 0 and extent(kernel, dilation) <= stride for kernel, stride, dilation, pads in window.axes)


@RULES.rule(pool.MaxPool)
def _max_pool(op: pool.MaxPool, node: Node) -> ModuleCall:
    d = axes_of(node)
    window = op.sliding(node.inputs[0].type)
    kernel, stride, dilation = same(window.kernel), same(window.stride), same(window.dilation)
    ceil = op.ceil
    if op.padding == "same":
        sizes = {"kernel_size": window.kernel, "stride": window.stride}
        pads = same_pads(window)
        if op.indices and (pads is None or any(before != after for before, after in pads)):
            return helper_module("EvenMaxPool", sizes, axes=d)
        if pads is None:
            return helper_module("SameMaxPool", sizes, {"dilation": (window.dilation, (1,) * d)}, axes=d)
        window = replace(window, pads=pads)
        ceil = not window.symmetric and _rounds_up(window)
        window = replace(window, pads=tuple((0, 0) for _ in pads)) if ceil else window
    if not _plain_padding(window):
        pads = _ceil_pads(window) if ceil else window.pads
        required = {"kernel_size": kernel, "stride": stride, "pads": flat(pads)}
        return helper_module("PaddedMaxPool", required, {"dilation": (dilation, 1)}, axes=d)
    padding = even(window)
    optional = {
        "stride": (stride, kernel), "padding": (padding, 0), "dilation": (dilation, 1), "ceil_mode": (ceil, False),
        "return_indices": (op.indices, False),
    }  # fmt: skip
    return both(call(f"nn.MaxPool{d}d", {"kernel_size": kernel}, optional), f"F.max_pool{d}d")


@RULES.rule(pool.AvgPool)
def _avg_pool(op: pool.AvgPool, node: Node) -> ModuleCall:
    d = axes_of(node)
    window = op.sliding(node.inputs[0].type)
    kernel, stride = same(window.kernel), same(window.stride)
    ceil, counted = op.ceil, (op.count_include_pad, True)
    if op.padding == "same":
        pads = same_pads(window)
        if pads is None:
            sizes: dict[str, Constant] = {"kernel_size": window.kernel, "stride": window.stride}
            return helper_module("SameAvgPool", sizes, {"count_include_pad": counted}, axes=d)
        window, ceil = replace(window, pads=pads), False
    # Only avg_pool3d rejects a kernel larger than the unpadded input.
    rejected = d == 3 and any(f > n for f, n in zip(window.kernel, node.inputs[0].type.spatial, strict=True))
    if rejected or not _plain_padding(window):
        ends = [after for _, after in (_ceil_pads(window) if ceil else window.pads)]
        extra = [(0, end - after) for end, (_, after) in zip(ends, window.pads, strict=True)]
        required = {"kernel_size": kernel, "stride": stride, "pads": flat(window.pads), "extra": flat(extra)}
        return helper_module("PaddedAvgPool", required, {"count_include_pad": counted}, axes=d)
    padding = even(window)
    optional = {
        "stride": (stride, kernel), "padding": (padding, 0), "ceil_mode": (ceil, False),
        "count_include_pad": (op.count_include_pad or padding == 0, True),
    }  # fmt: skip
    return both(call(f"nn.AvgPool{d}d", {"kernel_size": kernel}, optional), f"F.avg_pool{d}d")


@RULES.rule(pool.GlobalAvgPool, pool.GlobalMaxPool)
def _global_pool(op: pool.GlobalAvgPool | pool.GlobalMaxPool, node: Node) -> ModuleCall:
    kind = "Avg" if isinstance(op, pool.GlobalAvgPool) else "Max"
    return _adaptive(kind, axes_of(node), 1)


@RULES.rule(pool.AdaptiveAvgPool, pool.AdaptiveMaxPool)
def _adaptive_pool(op: pool.AdaptiveAvgPool | pool.AdaptiveMaxPool, node: Node) -> ModuleCall:
    kind = "Avg" if isinstance(op, pool.AdaptiveAvgPool) else "Max"
    return _adaptive(kind, axes_of(node), same(node.outputs[0].type.spatial))


def _adaptive(kind: str, axes: int, size: Constant) -> ModuleCall:
    module = call(f"nn.Adaptive{kind}Pool{axes}d", {"output_size": size}, {})
    return both(module, f"F.adaptive_{kind.lower()}_pool{axes}d")
