"""Poolings in Keras, which pads `valid` or `same` alone: other padding is put around the input."""

from __future__ import annotations

from archspec.ir.graph import Node
from archspec.lower.keras.rules.common import FIRST, RULES, LayerCall, axes_of, cannot, layer, own, padded
from archspec.lower.text.code_model import Call, Options, same
from archspec.ops import pool
from archspec.ops.geometry import Pads, extent, same_pads
from archspec.ops.sliding import Sliding


def _pads(node: Node, window: Sliding) -> tuple[Pads, ...]:
    """The padding, with the rows after it that a last partial window reaches into where positions are rounded up."""
    sizes = zip(node.inputs[0].type.spatial, node.outputs[0].type.spatial, window.axes, strict=True)
    reached = [(m - 1) * s + extent(f, d) - n - before for n, m, (f, s, d, (before, _)) in sizes]
    return tuple((before, max(after, rows)) for (before, after), rows in zip(window.pads, reached, strict=True))


def _is_same(node: Node, window: Sliding, pads: tuple[Pads, ...]) -> bool:
    axes = zip(node.inputs[0].type.spatial, window.kernel, window.stride, window.dilation, strict=True)
    return pads == tuple(same_pads(*axis) for axis in axes)


def _layer(kind: str, window: Sliding, padding: str) -> Call:
    pool_size = same(window.kernel)
    optional: Options = {
        "strides": (same(window.stride), pool_size), "padding": (padding, "valid"), "data_format": FIRST,
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
        return own("MaxPoolingWithIndices", {"pool_size": window.kernel}, optional)
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
    counted = op.count_include_pad and any(map(any, window.pads))
    if counted and pads == window.pads:
        return LayerCall((padded(pads), _layer("Average", window, "valid")))
    # `same` counts what is input alone, but on PyTorch only where it pads both sides alike: Keras repeats edges there.
    alike = all(before == after for before, after in pads)
    if not counted and alike and _is_same(node, window, pads):
        return LayerCall((_layer("Average", window, "same"),))
    raise cannot(node, "its average pooling leaves padding out of the mean only where that is 'same' and even")


@RULES.rule(pool.GlobalAvgPool, pool.AdaptiveAvgPool)
def _average_to_size(op: pool.GlobalAvgPool | pool.AdaptiveAvgPool, node: Node) -> LayerCall:
    return _adaptive(node, "Average")


@RULES.rule(pool.GlobalMaxPool, pool.AdaptiveMaxPool)
def _max_to_size(op: pool.GlobalMaxPool | pool.AdaptiveMaxPool, node: Node) -> LayerCall:
    return _adaptive(node, "Max")


def _adaptive(node: Node, kind: str) -> LayerCall:
    """A pooling to a size: global to 1, sliding where it divides the input's, repeating where it is a multiple."""
    sizes, wanted, d = node.inputs[0].type.spatial, node.outputs[0].type.spatial, axes_of(node)
    if set(wanted) == {1}:
        return LayerCall((layer(f"Global{kind}Pooling{d}D", {}, {"data_format": FIRST, "keepdims": (True, False)}),))
    if wanted == sizes:
        return LayerCall()
    if d > 1 and not any(want % size for size, want in zip(sizes, wanted, strict=True)):
        factors = tuple(want // size for size, want in zip(sizes, wanted, strict=True))
        return LayerCall((layer(f"UpSampling{d}D", {"size": same(factors)}, {"data_format": FIRST}),))
    if any(size % want for size, want in zip(sizes, wanted, strict=True)):
        # Keras has layers for it, but on JAX they read past the end of some inputs.
        raise cannot(node, "its adaptive pooling wants sizes that divide those of the input")
    windows = tuple(size // want for size, want in zip(sizes, wanted, strict=True))
    return LayerCall((layer(f"{kind}Pooling{d}D", {"pool_size": same(windows)}, {"data_format": FIRST}),))
