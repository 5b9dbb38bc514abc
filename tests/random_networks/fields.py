"""Checks of receptive fields, of each input, against gradients."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from archspec.ir.graph import Node, Value
from archspec.ir.types import DType
from archspec.ir.window import runs
from archspec.lower.nearest_rows import nearest_rows, repeats_evenly
from archspec.ops import Op
from archspec.ops.spatial import Upsample, UpsampleLike
from archspec.passes.receptive_field import ReceptiveField, receptive_fields
from tests.random_networks.case import Case, evaluate_tensors, is_finite, random_inputs, random_weights

LINEAR = {
    "conv", "conv_transpose", "avg_pool", "adaptive_avg_pool", "linear", "add", "mean", "concat", "upsample", "scale",
    "identity", "dropout", "spatial_dropout", "affine", "batch_norm", "frozen_batch_norm", "pad", "upsample_like",
}  # fmt: skip
"""Ops through which, with positive weights and inputs, every position that is read has a gradient above 0.

After a crop, the padding of a later layer stands where the input has positions that are cut off.
"""


def fields(case: Case) -> Iterator[str]:
    """A position's gradient is 0 outside its field; where nothing hides it, all of the field has one."""
    graph = case.graph
    weights = {key: torch.from_numpy(array).double() if array.dtype.kind == "f" else torch.from_numpy(array)
               for key, array in random_weights(graph, case.seed, low=0.3).items()}  # fmt: skip
    inputs = {name: torch.from_numpy(array) for name, array in random_inputs(graph, case.seed, batch=1).items()}
    inputs = {name: each.double().abs().add(0.1) if each.is_floating_point() else each for name, each in inputs.items()}
    sources = [value for value in graph.inputs if value.type.dtype is DType.FLOAT32 and value.type.rank > 2]
    for source in sources:
        inputs[source.name].requires_grad_()
    made = evaluate_tensors(graph, weights, inputs)
    if not is_finite(made):
        return
    if any(_is_rounded(node) for node in graph.nodes):
        return
    exact = all(node.op.kind in LINEAR and not _hides_taps(node.op) for node in graph.nodes)
    mirrored = any(_is_mirrored(node.op) for node in graph.nodes)
    for source in sources:
        found = receptive_fields(graph, source)
        for output in graph.inference_outputs[:3]:
            value = output.value
            tensor = made[value]
            if value.type.dtype is DType.FLOAT32 and tensor.requires_grad:
                yield from _differences(source, inputs[source.name], value, tensor, found.get(value), exact, mirrored)


def _is_rounded(node: Node) -> bool:
    """Whether PyTorch repeats other rows than the formula says, because of its rounding: fields follow the formula."""
    if not isinstance(node.op, Upsample | UpsampleLike):
        return False
    sizes = zip(node.input_types[0].spatial, node.output_types[0].spatial, strict=True)
    return any(count % size == 0 and not repeats_evenly(nearest_rows(size, count)) for size, count in sizes)


def _hides_taps(op: Op) -> bool:
    """Whether it has taps that a gradient may miss.

    Positions past the end of its output, which count as padding, would see some of its input; cubic curves have
    negative parts.
    """
    if op.attributes().get("mode") == "bicubic":
        return True
    return op.kind == "conv_transpose" and op.attributes()["dilation"] != 1


def _is_mirrored(op: Op) -> bool:
    """Whether positions beyond the border stand for some within."""
    return any(op.attributes().get(name) in ("reflect", "replicate") for name in ("mode", "padding_mode"))


def _differences(
    source: Value,
    signal: Tensor,
    value: Value,
    tensor: Tensor,
    field: ReceptiveField | None,
    exact: bool,
    mirrored: bool,
) -> Iterator[str]:
    if field is None:
        (gradient,) = torch.autograd.grad(tensor.sum(), signal, retain_graph=True, allow_unused=True)
        if gradient is not None and gradient.any():
            yield f"'{value.name}' sees nothing of '{source.name}', but has a gradient there"
        return
    for axis, track in enumerate(field.tracks, start=2):
        if track is None:
            continue
        own, window = track
        length = tensor.shape[own]
        for position in sorted({0, length // 2, length - 1}):
            result = tensor.select(own, position).sum()
            (gradient,) = torch.autograd.grad(result, signal, retain_graph=True, allow_unused=True)
            reach = window.reach(position)
            others = [each for each in range(signal.dim()) if each != axis]
            seen = [] if gradient is None else gradient.nan_to_num(1).abs().sum(others).nonzero().flatten().tolist()
            inside = reach is not None and reach[0] >= 0 and reach[-1] < signal.shape[axis]
            if mirrored and not inside:
                continue
            positions = {each for first, last in runs(reach) for each in range(first, last + 1)}
            where = f"position {position} of axis {own} of '{value.name}' sees {reach} of '{source.name}'"
            if not positions.issuperset(seen):
                yield f"{where}, but its gradient is {seen}"
            elif exact and inside and positions != set(seen):
                yield f"{where}, which is too wide: its gradient is {seen}"
