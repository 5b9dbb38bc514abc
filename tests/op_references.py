"""What every op must compute, in PyTorch's own functions: an oracle that shares no code with the compiler.

Padding that PyTorch's functions do not take is put around the input, and what they have no word for at all (a last
window let in by `ceil`, beside unequal padding) is computed window by window from the definition.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from math import ceil, prod
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # its usual name

from tests.region_references import roi_align, roi_pool

FILE = "tests/op_references.py"
"""The file to edit when an op lacks a reference."""

Weights = Mapping[str, Tensor]
Reference = Callable[[Any, Sequence[Tensor], Weights], Tensor | tuple[Tensor, ...]]
Pads = list[tuple[int, int]]


def _each(value: Any, axes: int) -> list[Any]:
    return list(value) if isinstance(value, tuple) else [value] * axes


def _pads(op: Any, x: Tensor, dilation: Any = 1) -> Pads:
    """Padding of each axis. `same` by TensorFlow's rule: the output is ceil(n / s), an odd row goes after the input."""
    axes = x.dim() - 2
    if op.padding == "same":
        kernels, strides, dilations = (_each(v, axes) for v in (op.kernel, op.stride or op.kernel, dilation))
        totals = [
            max((ceil(n / s) - 1) * s + (f - 1) * d + 1 - n, 0)
            for n, f, s, d in zip(x.shape[2:], kernels, strides, dilations, strict=True)
        ]
        return [(total // 2, total - total // 2) for total in totals]
    if op.padding == "causal":
        return [((op.kernel - 1) * op.dilation, 0)]
    written = _each(0 if op.padding == "valid" else op.padding, axes)
    return [pad if isinstance(pad, tuple) else (pad, pad) for pad in written]


def _padded(x: Tensor, pads: Pads, value: float = 0.0, mode: str = "constant") -> Tensor:
    flat = [rows for pair in reversed(pads) for rows in pair]
    return F.pad(x, flat, value=value) if mode == "constant" else F.pad(x, flat, mode=mode)


def _conv(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    (x,) = inputs
    convolve = [F.conv1d, F.conv2d, F.conv3d][x.dim() - 3]
    mode = "constant" if op.padding_mode == "zeros" else op.padding_mode
    x = _padded(x, _pads(op, x, op.dilation), mode=mode)
    return convolve(x, weights["weight"], weights.get("bias"), op.stride, 0, op.dilation, op.groups)


def _conv_transpose(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    """All of the transposed convolution, with zeros after it for the output padding; then cropped, then shifted."""
    (x,) = inputs
    axes = x.dim() - 2
    transpose = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d][axes - 1]
    made = transpose(x, weights["weight"], None, op.stride, 0, 0, op.groups, op.dilation)
    added = _each(op.output_padding, axes)
    if op.padding == "same":
        wanted = [n * s for n, s in zip(x.shape[2:], _each(op.stride, axes), strict=True)]
        spare = [n + more - want for n, more, want in zip(made.shape[2:], added, wanted, strict=True)]
        pads = [(rows // 2, rows - rows // 2) for rows in spare]
    else:
        pads = _pads(op, x)
    cropped = _padded(made, [(-before, more - after) for (before, after), more in zip(pads, added, strict=True)])
    return cropped + weights["bias"].view(-1, *[1] * axes) if "bias" in weights else cropped


def _pool(op: Any, x: Tensor, dilation: Any, reduce: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Pooling window by window. `reduce` is given the values under a window, and of each whether it is input (1),
    padding (0) or beyond the padding (-1).
    """
    axes = x.dim() - 2
    kernels, strides, dilations = (_each(v, axes) for v in (op.kernel, op.stride or op.kernel, dilation))
    starts: list[list[int]] = []
    pads = _pads(op, x, dilation)
    for n, f, s, d, (before, after) in zip(x.shape[2:], kernels, strides, dilations, pads, strict=True):
        last = n + after - (f - 1) * d - 1
        whole = list(range(-before, last + 1, s))
        # With ceil one more window is let in, if the others leave rows over and it starts within the input or before.
        more = whole[-1] + s if whole else -before
        starts.append([*whole, more] if op.ceil and more - s < last and more < n else whole)
    cells = [reduce(*_window(x, place, kernels, dilations, pads)) for place in itertools.product(*starts)]
    return torch.stack(cells, dim=-1).reshape(*x.shape[:2], *map(len, starts))


def _window(
    x: Tensor, place: Sequence[int], kernels: Sequence[int], dilations: Sequence[int], pads: Pads
) -> tuple[Tensor, Tensor]:
    values: list[Tensor] = []
    states: list[int] = []
    for tap in itertools.product(*map(range, kernels)):
        at = [start + d * t for start, d, t in zip(place, dilations, tap, strict=True)]
        inside = all(0 <= i < n for i, n in zip(at, x.shape[2:], strict=True))
        padded = all(-b <= i < n + a for i, n, (b, a) in zip(at, x.shape[2:], pads, strict=True))
        values.append(x[(slice(None), slice(None), *at)] if inside else x.new_zeros(x.shape[:2]))
        states.append(1 if inside else 0 if padded else -1)
    return torch.stack(values, dim=-1), torch.tensor(states, device=x.device)


def _torch_takes(op: Any, pads: Pads) -> bool:
    """Whether PyTorch's poolings take this padding: as much on both sides, and at most half the kernel."""
    kernels = _each(op.kernel, len(pads))
    return all(before == after <= kernel // 2 for (before, after), kernel in zip(pads, kernels, strict=True))


def _max_unpool(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    x, indices, *like = inputs
    unpool = [F.max_unpool1d, F.max_unpool2d, F.max_unpool3d][x.dim() - 3]
    return unpool(x, indices, op.kernel, op.stride, op.padding, like[0].shape[2:] if like else None)


def _max_pool(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor | tuple[Tensor, ...]:
    (x,) = inputs
    pads = _pads(op, x, op.dilation)
    if op.indices:
        pool = [F.max_pool1d, F.max_pool2d, F.max_pool3d][x.dim() - 3]
        return tuple(pool(x, op.kernel, op.stride, [pad for pad, _ in pads], ceil_mode=op.ceil, return_indices=True))
    if _torch_takes(op, pads):
        pool = [F.max_pool1d, F.max_pool2d, F.max_pool3d][x.dim() - 3]
        return pool(x, op.kernel, op.stride, [before for before, _ in pads], op.dilation, ceil_mode=op.ceil)
    return _pool(op, x, op.dilation, lambda values, states: values.where(states == 1, -torch.inf).amax(dim=-1))


def _avg_pool(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    (x,) = inputs
    pads = _pads(op, x)
    # avg_pool3d, and it alone, refuses a kernel larger than the input without its padding.
    fits = x.dim() < 5 or all(f <= n for f, n in zip(_each(op.kernel, 3), x.shape[2:], strict=True))
    if fits and _torch_takes(op, pads):
        pool = [F.avg_pool1d, F.avg_pool2d, F.avg_pool3d][x.dim() - 3]
        return pool(x, op.kernel, op.stride, [before for before, _ in pads], op.ceil, op.count_include_pad)
    least = 0 if op.count_include_pad else 1
    return _pool(op, x, 1, lambda values, states: values.sum(dim=-1) / (states >= least).sum())


def _adaptive(kind: str) -> Reference:
    def pool(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
        (x,) = inputs
        return getattr(F, f"adaptive_{kind}_pool{x.dim() - 2}d")(x, op.size)

    return pool


def _global_pool(reduce: Callable[..., Tensor]) -> Reference:
    return lambda op, inputs, weights: reduce(inputs[0], dim=tuple(range(2, inputs[0].dim())), keepdim=True)


def _batch_norm(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    running = weights["running_mean"], weights["running_var"]
    return F.batch_norm(inputs[0], *running, weights.get("weight"), weights.get("bias"), eps=op.eps)


def _layer_norm(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    (x,) = inputs
    if op.axes != "channels":
        return F.layer_norm(x, x.shape[x.dim() - op.axes :], weights.get("weight"), weights.get("bias"), op.eps)
    ones = [1] * (x.dim() - 2)
    normal = (x - x.mean(dim=1, keepdim=True)) / (x.var(dim=1, correction=0, keepdim=True) + op.eps).sqrt()
    if not op.affine:
        return normal
    return normal * weights["weight"].view(-1, *ones) + weights["bias"].view(-1, *ones)


def _local_response_norm(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    return F.local_response_norm(inputs[0].contiguous(), op.size, op.alpha, op.beta, op.k)


def _affine(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    (x,) = inputs
    ones = [1] * (x.dim() - 2)
    shift = weights["bias"].view(-1, *ones) if op.bias else 0
    return x * weights["weight"].view(-1, *ones) + shift


def _layer_scale(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    (x,) = inputs
    return (x.movedim(op.axis, -1) * weights["weight"].flatten()).movedim(-1, op.axis)


def _class_token(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    (x,) = inputs
    return torch.cat([weights["weight"].repeat(x.shape[0], 1, 1), x], dim=1)


def _radial_basis(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    return torch.cdist(inputs[0], weights["weight"], compute_mode="donot_use_mm_for_euclid_dist").square()


def _reshape(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    return inputs[0].reshape(inputs[0].shape[0], *op.sizes)


def _flatten(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    (x,) = inputs
    return x.flatten(op.start, op.end) if x.dim() > 1 else x.unsqueeze(1)


def _slice(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    (x,) = inputs
    entries = list(range(x.shape[op.axis]))[op.start : op.end : op.step]
    return x.index_select(op.axis, torch.tensor(entries))


def _pad(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    return _padded(inputs[0], _pads(op, inputs[0]), op.value, op.mode)


def _pad_channels(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    (x,) = inputs
    return torch.cat([x, x.new_zeros(x.shape[0], op.channels - x.shape[1], *x.shape[2:])], dim=1)


def _center_crop(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    (x,) = inputs
    for axis, size in enumerate(_each(op.size, x.dim() - 2), start=2):
        x = x.narrow(axis, (x.shape[axis] - size) // 2, size)
    return x


def _upsample(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    (x,) = inputs
    scaled = None if op.scale is None else True  # where the scale is rounded, that of the sizes is used
    if op.mode == "nearest":
        return F.interpolate(x, op.size, op.scale, recompute_scale_factor=scaled)
    mode = "bicubic" if op.mode == "bicubic" else ["linear", "bilinear", "trilinear"][x.dim() - 3]
    return F.interpolate(x, op.size, op.scale, mode, op.align_corners, scaled, op.antialias)


def _multi_head_attention(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    """PyTorch's function, entry by entry of the axes before the positions; a row without a key to attend to is 0."""
    values, mask = (inputs[:-1], inputs[-1]) if op.mask else (inputs, None)
    query, key, value = (*values, *[values[-1]] * 2)[:3]
    samples = query.shape[:-2].numel()
    scores = (*query.shape[:-2], op.heads, query.shape[-2], key.shape[-2])
    added = query.new_zeros(scores)
    if op.relative_bias is not None:
        added = added + _relative_bias(op.relative_bias, weights)
    if mask is not None:
        mask = mask if mask.dim() == len(scores) else mask.unsqueeze(-3)
        added = added.masked_fill(mask == 0, -torch.inf)
    if op.causal:
        added = added + query.new_full(scores[-2:], -torch.inf).triu(1)
    packed = weights.get("in_proj_weight", weights.get("qkv.weight"))
    names = ("proj.weight", "proj.bias") if op.relative_bias else ("out_proj.weight", "out_proj.bias")
    found, _ = F.multi_head_attention_forward(
        *(x.reshape(samples, *x.shape[-2:]).transpose(0, 1) for x in (query, key, value)), query.shape[-1], op.heads,
        packed, weights.get("in_proj_bias", weights.get("qkv.bias")), None, None, False, 0.0,
        *map(weights.get, names), training=False, attn_mask=added.reshape(-1, *scores[-2:]), need_weights=False,
        use_separate_proj_weight=packed is None, q_proj_weight=weights.get("q_proj_weight"),
        k_proj_weight=weights.get("k_proj_weight"), v_proj_weight=weights.get("v_proj_weight"),
    )  # fmt: skip
    return found.transpose(0, 1).reshape(query.shape)


def _relative_bias(window: Sequence[int], weights: Weights) -> Tensor:
    """Swin's learned numbers for all pairs of positions in a window: (heads, positions, positions)."""
    positions = prod(window)
    rows = weights["relative_position_index"].reshape(positions, positions).long()
    return weights["relative_position_bias_table"][rows].permute(2, 0, 1)


def _recurrent(op: Any, inputs: Sequence[Tensor], weights: Weights) -> tuple[Tensor, ...]:
    x, *starts = inputs
    kind = "rnn_" + op.function if op.kind == "rnn" else op.kind
    zeros = x.new_zeros(op.depth * (1 + op.bidirectional), x.shape[0], op.features)
    states = [start.transpose(0, 1).contiguous() for start in starts] or [zeros, zeros]
    start = states if op.kind == "lstm" else states[0]
    output, *states = getattr(torch, kind)(
        x, start, list(weights.values()), op.bias, op.depth, 0.0, False, op.bidirectional, True
    )
    return output, *(state.transpose(0, 1) for state in states)


def results(op: Any, inputs: Sequence[Tensor], weights: Weights) -> tuple[Tensor, ...]:
    """What an op makes of these inputs and weights, output by output."""
    made = REFERENCES[op.kind](op, inputs, weights)
    return made if isinstance(made, tuple) else (made,)


def _squash(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    """Equation 1 of Sabour, Frosst and Hinton 2017."""
    (x,) = inputs
    square = x.square().sum(dim=op.axis, keepdim=True)
    return square / (1 + square) * F.normalize(x, dim=op.axis)


def _capsule_votes(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    """A matrix product for every capsule, with the vector as a column."""
    matrices = weights["weight"].flatten(1, 2)
    return (matrices @ inputs[0].unsqueeze(3)).unflatten(2, (op.capsules, op.features)).squeeze(4)


def _upsample_like(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    x, like = inputs
    if op.mode == "nearest":
        return F.interpolate(x, like.shape[2:])
    mode = "bicubic" if op.mode == "bicubic" else ["linear", "bilinear", "trilinear"][x.dim() - 3]
    return F.interpolate(x, like.shape[2:], mode=mode, align_corners=op.align_corners, antialias=op.antialias)


def _crop_like(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    x, like = inputs
    for axis in range(2, x.dim()):
        size = like.shape[axis]
        start = (x.shape[axis] - size) // 2 if op.offset is None else _each(op.offset, x.dim() - 2)[axis - 2]
        x = x.narrow(axis, start, size)
    return x


def _listed(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _of(function: Callable[..., Tensor], **arguments: str) -> Reference:
    """A function of one tensor; its arguments are attributes of the op."""
    return lambda op, inputs, weights: function(
        inputs[0], **{name: getattr(op, key) for name, key in arguments.items()}
    )


def _reduce_prod(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    (x,) = inputs
    axes = sorted(axis % x.dim() for axis in (op.axis if isinstance(op.axis, tuple) else (op.axis,)))
    for axis in reversed(axes):
        x = x.prod(dim=axis, keepdim=op.keepdim)
    return x


def _operands(op: Any, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The inputs, and the number as a tensor."""
    return [*inputs, *([] if op.number is None else [torch.tensor(op.number, dtype=inputs[-1].dtype)])]


def _folded(function: Callable[[Tensor, Tensor], Tensor]) -> Reference:
    """A function of two tensors, over all operands in turn."""
    return lambda op, inputs, weights: functools.reduce(function, _operands(op, inputs))


def _compared(function: Callable[[Tensor, Tensor], Tensor]) -> Reference:
    return lambda op, inputs, weights: function(*_operands(op, inputs)).float()


def _where(op: Any, inputs: Sequence[Tensor], weights: Weights) -> Tensor:
    condition, one, other = _operands(op, inputs)
    return torch.where(condition.bool(), one, other)


REFERENCES: Mapping[str, Reference] = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "max_pool": _max_pool,
    "max_unpool": _max_unpool,
    "avg_pool": _avg_pool,
    "global_max_pool": _global_pool(torch.amax),
    "global_avg_pool": _global_pool(torch.mean),
    "adaptive_max_pool": _adaptive("max"),
    "adaptive_avg_pool": _adaptive("avg"),
    "roi_align": roi_align,
    "roi_pool": roi_pool,
    "linear": lambda op, inputs, weights: F.linear(inputs[0], weights["weight"], weights.get("bias")),
    "capsule_votes": _capsule_votes,
    "reduce_mean": _of(torch.mean, dim="axis", keepdim="keepdim"),
    "reduce_sum": _of(torch.sum, dim="axis", keepdim="keepdim"),
    "reduce_max": _of(torch.amax, dim="axis", keepdim="keepdim"),
    "reduce_min": _of(torch.amin, dim="axis", keepdim="keepdim"),
    "reduce_prod": _reduce_prod,
    "reduce_l2": _of(torch.linalg.vector_norm, dim="axis", keepdim="keepdim"),
    "reduce_var": _of(functools.partial(torch.var, correction=0), dim="axis", keepdim="keepdim"),
    "reduce_std": _of(functools.partial(torch.std, correction=0), dim="axis", keepdim="keepdim"),
    "argmax": _of(torch.argmax, dim="axis", keepdim="keepdim"),
    "cumsum": _of(torch.cumsum, dim="axis"),
    "l2_normalize": _of(F.normalize, dim="axis", eps="eps"),
    "squash": _squash,
    "radial_basis": _radial_basis,
    "matmul": lambda op, inputs, weights: torch.matmul(*inputs),
    "multi_head_attention": _multi_head_attention,
    **dict.fromkeys(("lstm", "gru", "rnn"), _recurrent),
    "batch_norm": _batch_norm,
    "frozen_batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "rms_norm": lambda op, inputs, weights: F.rms_norm(
        inputs[0], inputs[0].shape[inputs[0].dim() - op.axes :], weights.get("weight"), op.eps
    ),
    "group_norm": lambda op, inputs, weights: F.group_norm(
        inputs[0], op.groups, weights.get("weight"), weights.get("bias"), op.eps
    ),
    "instance_norm": lambda op, inputs, weights: F.instance_norm(
        inputs[0], None, None, weights.get("weight"), weights.get("bias"), eps=op.eps
    ),
    "local_response_norm": _local_response_norm,
    "affine": _affine,
    "layer_scale": _layer_scale,
    "class_token": _class_token,
    "parameter": lambda op, inputs, weights: torch.stack([weights["weight"]] * len(inputs[0])),
    "position_embedding": lambda op, inputs, weights: inputs[0] + weights["weight"],
    "embedding": lambda op, inputs, weights: F.embedding(inputs[0], weights["weight"]),
    "prelu": lambda op, inputs, weights: F.prelu(inputs[0], weights["weight"]),
    "relu": _of(F.relu),
    "relu6": _of(F.relu6),
    "leaky_relu": _of(F.leaky_relu, negative_slope="slope"),
    "elu": _of(F.elu, alpha="alpha"),
    "selu": _of(F.selu),
    "sigmoid": _of(torch.sigmoid),
    "hard_sigmoid": _of(F.hardsigmoid),
    "tanh": lambda op, inputs, weights: op.scale * torch.tanh(op.slope * inputs[0]),
    "gelu": _of(F.gelu, approximate="approximate"),
    "silu": _of(F.silu),
    "hard_swish": _of(F.hardswish),
    "mish": _of(F.mish),
    "softplus": _of(F.softplus),
    "hard_tanh": _of(F.hardtanh),
    "softsign": _of(F.softsign),
    "celu": _of(F.celu, alpha="alpha"),
    "threshold": lambda op, inputs, weights: F.threshold(inputs[0], op.threshold, 0.0),
    "log_sigmoid": _of(F.logsigmoid),
    "glu": _of(F.glu, dim="axis"),
    "scale": lambda op, inputs, weights: inputs[0] * op.factor,
    "clip": _of(torch.clamp, min="min", max="max"),
    "softmax": _of(F.softmax, dim="axis"),
    "log_softmax": _of(F.log_softmax, dim="axis"),
    "dropout": lambda op, inputs, weights: F.dropout(inputs[0], op.p, training=False),
    "spatial_dropout": lambda op, inputs, weights: F.dropout(inputs[0], op.p, training=False),
    "stochastic_depth": lambda op, inputs, weights: inputs[0],
    **{
        kind: _of(getattr(torch, kind))
        for kind in (
            "abs",
            "neg",
            "square",
            "sqrt",
            "rsqrt",
            "reciprocal",
            "exp",
            "log",
            "erf",
            "sin",
            "cos",
            "floor",
            "ceil",
            "round",
        )
    },
    "add": _folded(torch.add),
    "sub": _folded(torch.sub),
    "mul": _folded(torch.mul),
    "div": _folded(torch.div),
    "pow": _folded(torch.pow),
    "min": _folded(torch.minimum),
    "max": _folded(torch.maximum),
    "mean": lambda op, inputs, weights: torch.stack(torch.broadcast_tensors(*inputs)).mean(dim=0),
    **{
        kind: _compared(function)
        for kind, function in {
            "equal": torch.eq,
            "not_equal": torch.ne,
            "greater": torch.gt,
            "greater_equal": torch.ge,
            "less": torch.lt,
            "less_equal": torch.le,
        }.items()
    },
    "where": _where,
    "concat": lambda op, inputs, weights: torch.cat(list(inputs), dim=op.axis),
    "flatten": _flatten,
    "reshape": _reshape,
    "permute": lambda op, inputs, weights: inputs[0].permute(0, *op.order),
    "split": lambda op, inputs, weights: inputs[0].tensor_split(
        op.parts if op.sizes is None else list(itertools.accumulate(op.sizes))[:-1], dim=op.axis
    ),
    "slice": _slice,
    "roll": lambda op, inputs, weights: torch.roll(
        inputs[0],
        *zip(*itertools.zip_longest(_listed(op.shift), _listed(op.axis), fillvalue=op.shift), strict=True),
    ),
    "flip": lambda op, inputs, weights: torch.flip(inputs[0], _listed(op.axis)),
    "squeeze": lambda op, inputs, weights: torch.squeeze(inputs[0], _listed(op.axis)),
    "unsqueeze": _of(torch.unsqueeze, dim="axis"),
    "expand": lambda op, inputs, weights: torch.broadcast_to(
        inputs[0], [own if size == -1 else size for own, size in zip(inputs[0].shape, (-1, *op.sizes), strict=True)]
    ),
    "tile": lambda op, inputs, weights: torch.tile(inputs[0], (1, *op.times)),
    "stack": lambda op, inputs, weights: torch.stack(inputs, op.axis),
    "select": lambda op, inputs, weights: inputs[0].index_select(op.axis, torch.tensor(op.indices)),
    "pad": _pad,
    "pad_channels": _pad_channels,
    "center_crop": _center_crop,
    "upsample": _upsample,
    "upsample_like": _upsample_like,
    "crop_like": _crop_like,
    "pixel_shuffle": lambda op, inputs, weights: F.pixel_shuffle(inputs[0], op.factor),
    "pixel_unshuffle": lambda op, inputs, weights: F.pixel_unshuffle(inputs[0], op.factor),
    "channel_shuffle": lambda op, inputs, weights: (
        inputs[0].unflatten(1, (op.groups, -1)).transpose(1, 2).flatten(1, 2)
    ),
    "identity": lambda op, inputs, weights: inputs[0],
}
"""The result of each op, by its kind, of the op, its inputs and its weights."""
