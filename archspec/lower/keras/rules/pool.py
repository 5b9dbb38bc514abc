"""Poolings in Keras, whose padding is only `valid` or `same`: the input is padded first if it is neither."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import (
    CHANNELS_FIRST,
    RULES,
    LayerCall,
    cannot,
    helper_layer,
    layer,
    padded,
    spatial_rank,
)
from archspec.lower.text.code_model import Call, Constant, Options, same
from archspec.ops import pool
from archspec.ops.geometry import Pads, same_pads
from archspec.ops.sliding import Sliding


def _pads(node: Node, window: Sliding) -> tuple[Pads, ...]:
    """The padding, extended by the overhang of a last partial window."""
    overhang = window.overhang(node.inputs[0].type.spatial, node.outputs[0].type.spatial)
    return tuple((before, after + rows) for (before, after), rows in zip(window.pads, overhang, strict=True))


def _is_same(node: Node, window: Sliding, pads: tuple[Pads, ...]) -> bool:
    axes = zip(node.inputs[0].type.spatial, window.kernel, window.stride, window.dilation, strict=True)
    return pads == tuple(same_pads(*axis) for axis in axes)


def _layer(kind: str, window: Sliding, padding: str) -> Call:
    pool_size = same(window.kernel)
    optional: Options = {
        "strides": (same(window.stride), pool_size), "padding": (padding, "valid"), "data_format": CHANNELS_FIRST,
    }  # fmt: skip
    return layer(f"{kind}Pooling{len(window.kernel)}D", {"pool_size": pool_size}, optional)


@RULES.rule(pool.MaxPool)
def _max_pool(op: pool.MaxPool, node: Node) -> LayerCall:
    window = op.sliding(node.inputs[0].type)
    if max(window.dilation) > 1:
        raise cannot(node, "its poolings have no dilation")
    pads = _pads(node, window)
    if op.indices:
        optional: Options = {
            "strides": (window.stride, window.kernel), "padding": (pads, tuple((0, 0) for _ in pads)),
        }  # fmt: skip
        return helper_layer("MaxPoolingWithIndices", {"pool_size": window.kernel}, optional)
    if not any(map(any, pads)):
        return LayerCall((_layer("Max", window, "valid"),))
    if _is_same(node, window, pads):
        return LayerCall((_layer("Max", window, "same"),))
    return LayerCall((padded(pads, float("-inf")), _layer("Max", window, "valid")))


@RULES.rule(pool.AvgPool)
def _avg_pool(op: pool.AvgPool, node: Node) -> LayerCall:
    window = op.sliding(node.inputs[0].type)
    pads = _pads(node, window)
    if not any(map(any, pads)):
        return LayerCall((_layer("Average", window, "valid"),))
    counts_padding = op.count_include_pad and any(map(any, window.pads))
    if counts_padding and pads == window.pads:
        return LayerCall((padded(pads), _layer("Average", window, "valid")))
    # With `same`, Keras leaves padding out of the mean; on PyTorch only if both sides are padded alike, otherwise it
    # repeats the edges, and over three axes only if the kernel fits the input.
    sizes = node.inputs[0].type.spatial
    is_even = all(before == after for before, after in pads)
    fits = len(sizes) < 3 or all(f <= n for f, n in zip(window.kernel, sizes, strict=True))
    if not counts_padding and is_even and fits and _is_same(node, window, pads):
        return LayerCall((_layer("Average", window, "same"),))
    required: dict[str, Constant] = {
        "pool_size": window.kernel, "strides": window.stride, "padding": window.pads,
        "extra": window.overhang(sizes, node.outputs[0].type.spatial),
    }  # fmt: skip
    return helper_layer("PaddedAveragePooling", required, {"count_padding": (op.count_include_pad, True)})


@RULES.rule(pool.GlobalAvgPool, pool.AdaptiveAvgPool)
def _adaptive_avg_pool(op: pool.GlobalAvgPool | pool.AdaptiveAvgPool, node: Node) -> LayerCall:
    return _adaptive(node, "Average")


@RULES.rule(pool.GlobalMaxPool, pool.AdaptiveMaxPool)
def _adaptive_max_pool(op: pool.GlobalMaxPool | pool.AdaptiveMaxPool, node: Node) -> LayerCall:
    return _adaptive(node, "Max")


def _adaptive(node: Node, kind: str) -> LayerCall:
    """A pooling to a given size.

    It is a global pooling if the size is 1, a window if the size divides the input's, and an upsampling if it is a
    multiple of the input's.
    """
    sizes, wanted, d = node.inputs[0].type.spatial, node.outputs[0].type.spatial, spatial_rank(node)
    if set(wanted) == {1}:
        return LayerCall(
            (layer(f"Global{kind}Pooling{d}D", {}, {"data_format": CHANNELS_FIRST, "keepdims": (True, False)}),)
        )
    if wanted == sizes:
        return LayerCall()
    if d > 1 and not any(want % size for size, want in zip(sizes, wanted, strict=True)):
        factors = tuple(want // size for size, want in zip(sizes, wanted, strict=True))
        return LayerCall((layer(f"UpSampling{d}D", {"size": same(factors)}, {"data_format": CHANNELS_FIRST}),))
    if any(size % want for size, want in zip(sizes, wanted, strict=True)):
        # Keras has layers for it, but on JAX they read beyond the end of some inputs.
        raise cannot(node, "its adaptive pooling needs sizes that divide those of the input")
    windows = tuple(size // want for size, want in zip(sizes, wanted, strict=True))
    return LayerCall((layer(f"{kind}Pooling{d}D", {"pool_size": same(windows)}, {"data_format": CHANNELS_FIRST}),))
