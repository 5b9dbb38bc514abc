"""Attention: ONNX's operator has no linear projections, so those of the layer are identities."""

from __future__ import annotations

import numpy as np

from tools.onnx_nodes.reading import Array, Example, Layer, NotApplicable, reads

PLAIN = {"scale", "q_num_heads", "kv_num_heads", "is_causal"}
WITHOUT_MEANING = {
    "softcap": 0,
    "left_window_size": -1,
    "right_window_size": -1,
    "qk_matmul_output_mode": 0,
}
"""The values with which these attributes have no effect."""


@reads("Attention")
def _attention(example: Example) -> Layer:
    others = {name: value for name, value in example.attributes.items() if name not in PLAIN}
    if any(WITHOUT_MEANING.get(name) != value for name, value in others.items()):
        raise NotApplicable("a window, a softcap, or the products as an output")
    if any(array is not None for array in example.inputs[4:]) or len(example.outputs) > 1:
        raise NotApplicable("past keys and values")
    query, key, value = (_flat(example.needed(i)) for i in range(3))
    heads = example.attributes.get("q_num_heads", example.x.shape[1])
    if example.attributes.get("kv_num_heads", example.needed(1).shape[1]) != heads or key.shape != value.shape:
        raise NotApplicable("heads that share keys and values, or have unequal sizes")
    features = query.shape[2]
    root = float(np.sqrt(features // heads))
    identity = np.eye(features, dtype=np.float32)
    scaled = identity * np.float32(example.attributes.get("scale", 1 / root) * root)
    weights = {"in_proj_weight": np.concatenate([scaled, identity, identity]), "out_proj.weight": identity}
    mask = _mask(example.optional(3), query.shape[0])
    attributes = {
        "heads": heads,
        "bias": False,
        "causal": bool(example.attributes.get("is_causal", 0)),
        "mask": bool(mask),
    }
    return Layer("multi_head_attention", attributes, (query, key, value, *mask), _flat(example.outputs[0]), weights)


def _mask(array: Array | None, samples: int) -> tuple[Array, ...]:
    """A mask of truth values as (N, queries, keys) or (N, heads, queries, keys), if there is one."""
    if array is None:
        return ()
    if array.dtype != bool:
        raise NotApplicable("a mask of numbers that are added")
    array = array.astype(np.float32)
    shared = array.ndim == 2 or array.shape[0] == 1
    if array.ndim == 3:
        raise NotApplicable("a mask of heads without the batch")
    return (np.repeat(array[None] if array.ndim == 2 else array, samples if shared else 1, axis=0),)


def _flat(array: Array) -> Array:
    """(N, heads, positions, numbers) as (N, positions, features), the heads side by side."""
    if array.ndim == 3:
        return array
    samples, heads, positions, numbers = array.shape
    return array.transpose(0, 2, 1, 3).reshape(samples, positions, heads * numbers)
