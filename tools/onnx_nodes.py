"""ONNX's node tests read as layers of ours: what each operator is called here, and which tests stay out and why.

A node test is one operator with its inputs and the outputs it must give. A reader says which layer computes the same.
Where ONNX works along its first axis, which is the batch here, one more axis is put before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, isclose
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

Array = NDArray[Any]


class NotApplicable(Exception):
    """No layer of ours computes this; the reason is worded so that tests with the same one can be counted."""


@dataclass(frozen=True)
class Example:
    """A node test: the attributes of its node, what goes in (None for an input left out), and what must come out."""

    operator: str
    attributes: Mapping[str, Any]
    inputs: tuple[Array | None, ...]
    outputs: tuple[Array, ...]

    @property
    def x(self) -> Array:
        """The first input."""
        return self.needed(0)

    def needed(self, index: int) -> Array:
        """An input that is always there."""
        array = self.inputs[index]
        assert array is not None
        return array

    def optional(self, index: int) -> Array | None:
        """An input that may be left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def numbers(self, index: int) -> list[int] | None:
        """An input that holds whole numbers, such as a shape; None if it is left out."""
        array = self.optional(index)
        return None if array is None else [int(number) for number in array.ravel()]


@dataclass(frozen=True)
class Layer:
    """A layer of ours: its op, what is written of it, what flows in and must flow out, and its weights."""

    kind: str
    attributes: Mapping[str, Any]
    inputs: tuple[Array, ...]
    output: Array
    weights: Mapping[str, Array] = field(default_factory=dict)


Reader = Callable[[Example], Layer]
READERS: dict[str, Reader] = {}
"""How each of ONNX's operators is read, by its name."""


def reads(*operators: str) -> Callable[[Reader], Reader]:
    """Register the reader of some operators."""

    def register(reader: Reader) -> Reader:
        assert not READERS.keys() & set(operators)
        READERS.update(dict.fromkeys(operators, reader))
        return reader

    return register


def read(example: Example) -> Layer:
    """The layer that should compute a node test.

    Raises:
        NotApplicable: there is none.
    """
    if len(example.outputs) > 1:
        raise NotApplicable("asks for a second output: a mask, indices or statistics")
    layer = READERS[example.operator](example)
    if any(array.dtype not in (np.float32, np.int64) for array in layer.inputs):
        raise NotApplicable("elements other than float32 and int64")
    if any(array.size == 0 for array in (*layer.inputs, layer.output)):
        raise NotApplicable("a tensor without elements")
    return layer


def example(model: onnx.ModelProto, inputs: Sequence[Any], outputs: Sequence[Any]) -> Example | None:
    """A node test as its generator gives it; None if it is not one node that takes and gives tensors."""
    if len(model.graph.node) != 1:
        return None
    (node,) = model.graph.node
    if not all(isinstance(value, np.ndarray | np.generic) for value in (*inputs, *outputs)):
        return None
    given = iter(inputs)
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    return Example(
        node.op_type,
        {name: value.decode() if isinstance(value, bytes) else value for name, value in attributes.items()},
        tuple(np.asarray(next(given)) if name else None for name in node.input),
        tuple(np.asarray(value) for value in outputs),
    )


# --- the batch ------------------------------------------------------------------------------------------------------


def _along(example: Example, axis: int) -> tuple[int, Callable[[Array], Array]]:
    """An axis as we count it, and what makes room for it: nothing, or a batch of one before ONNX's first axis."""
    axis %= example.x.ndim
    return (axis, _as_is) if axis else (1, _in_a_batch_of_one)


def _as_is(array: Array) -> Array:
    return array


def _in_a_batch_of_one(array: Array) -> Array:
    return array[None]


def _plain(kind: str, example: Example, **attributes: Any) -> Layer:
    """A layer without weights whose inputs are all those of the node."""
    inputs = tuple(array for array in example.inputs if array is not None)
    room = _as_is if all(array.ndim for array in inputs) else _in_a_batch_of_one
    return Layer(kind, attributes, tuple(map(room, inputs)), room(example.outputs[0]))


# --- windows --------------------------------------------------------------------------------------------------------


def _window(example: Example, kernel: Sequence[int]) -> dict[str, Any]:
    """Kernel, stride, dilation and padding in our words."""
    ones = [1] * len(kernel)
    strides, dilations = (list(example.attributes.get(name, ones)) for name in ("strides", "dilations"))
    written: dict[str, Any] = {"kernel": list(kernel), "stride": strides, "padding": _padding(example, kernel)}
    return written | ({"dilation": dilations} if dilations != ones else {})


def _padding(example: Example, kernel: Sequence[int]) -> Any:
    axes = len(kernel)
    how = example.attributes.get("auto_pad", "NOTSET")
    if how in ("SAME_UPPER", "VALID"):
        return {"SAME_UPPER": "same", "VALID": "valid"}[how]
    if how == "SAME_LOWER":  # the odd row goes before the input, which we write out
        strides = example.attributes.get("strides", [1] * axes)
        sizes = zip(example.x.shape[2:], kernel, strides, strict=True)
        totals = [max((ceil(n / s) - 1) * s + f - n, 0) for n, f, s in sizes]
        return [[total - total // 2, total // 2] for total in totals]
    pads = example.attributes.get("pads", [0] * 2 * axes)
    return [list(pair) for pair in zip(pads[:axes], pads[axes:], strict=True)]


@reads("Conv")
def _conv(example: Example) -> Layer:
    weight, bias = example.needed(1), example.optional(2)
    attributes = _window(example, weight.shape[2:]) | {
        "channels": weight.shape[0], "groups": example.attributes.get("group", 1), "bias": bias is not None,
    }  # fmt: skip
    return Layer("conv", attributes, (example.x,), example.outputs[0], _weights(weight, bias))


@reads("ConvTranspose")
def _conv_transpose(example: Example) -> Layer:
    weight, bias = example.needed(1), example.optional(2)
    groups = example.attributes.get("group", 1)
    attributes = _window(example, weight.shape[2:]) | {
        "channels": weight.shape[1] * groups, "groups": groups, "bias": bias is not None,
    }  # fmt: skip
    added = list(example.attributes.get("output_padding", [0] * (example.x.ndim - 2)))
    if wanted := example.attributes.get("output_shape"):
        attributes["padding"], added = _cropped_to(wanted, example, attributes, added)
    if any(added):
        attributes["output_padding"] = added
    return Layer("conv_transpose", attributes, (example.x,), example.outputs[0], _weights(weight, bias))


def _cropped_to(
    wanted: Sequence[int], example: Example, window: Mapping[str, Any], added: Sequence[int]
) -> tuple[list[list[int]], list[int]]:
    """What is cropped of each axis, and what is added, to come to a size: the odd row is cropped before the output."""
    dilations = window.get("dilation", [1] * len(wanted))
    axes = zip(example.x.shape[2:], window["kernel"], window["stride"], dilations, added, wanted, strict=True)
    spare = [(n - 1) * s + (f - 1) * d + 1 + more - want for n, f, s, d, more, want in axes]
    crops = [[rows - rows // 2, rows // 2] if rows > 0 else [0, 0] for rows in spare]
    return crops, [more + max(-rows, 0) for more, rows in zip(added, spare, strict=True)]


def _weights(weight: Array, bias: Array | None) -> dict[str, Array]:
    return {"weight": weight} if bias is None else {"weight": weight, "bias": bias}


@reads("MaxPool", "AveragePool")
def _pool(example: Example) -> Layer:
    average = example.operator == "AveragePool"
    attributes = _window(example, example.attributes["kernel_shape"])
    attributes["ceil"] = bool(example.attributes.get("ceil_mode", 0))
    if average:
        attributes["count_include_pad"] = bool(example.attributes.get("count_include_pad", 0))
        if "dilation" in attributes:
            raise NotApplicable("'avg_pool' has no dilation")
    return _plain("avg_pool" if average else "max_pool", example, **attributes)


@reads("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(example: Example) -> Layer:
    return _plain("global_avg_pool" if example.operator == "GlobalAveragePool" else "global_max_pool", example)


@reads("Upsample", "Resize")
def _resize(example: Example) -> Layer:
    scales = example.optional(1 if example.operator == "Upsample" else 2)
    mode = example.attributes.get("mode", "nearest")
    sizes = example.outputs[0].shape
    _need_our_way_of_resizing(example, mode, scales)
    if sizes[:2] != example.x.shape[:2]:
        raise NotApplicable("resizes the batch or the channels")
    corners = example.attributes.get("coordinate_transformation_mode") == "align_corners"
    return Layer(
        "upsample",
        {"size": list(sizes[2:]), "mode": mode, "align_corners": corners},
        (example.x,),
        example.outputs[0],
    )


def _need_our_way_of_resizing(example: Example, mode: str, scales: Array | None) -> None:
    if mode not in ("nearest", "linear") or example.attributes.get("antialias", 0):
        raise NotApplicable("interpolation other than nearest and linear")
    if "keep_aspect_ratio_policy" in example.attributes or example.attributes.get("exclude_outside", 0):
        raise NotApplicable("a policy of resizing that we have no word for")
    pairs = list(zip(example.x.shape, example.outputs[0].shape, strict=False))
    if scales is not None and any(n * scale != m for (n, m), scale in zip(pairs, scales, strict=True)):
        raise NotApplicable("a scale that the sizes do not say")
    default = "asymmetric" if example.operator == "Upsample" else "half_pixel"
    coordinates = example.attributes.get("coordinate_transformation_mode", default)
    rounding = example.attributes.get("nearest_mode", "floor" if default == "asymmetric" else "round_prefer_floor")
    whole = all(m % n == 0 for n, m in pairs)  # then rounding the middle of a pixel finds the pixel it came from
    if mode == "nearest" and (coordinates, rounding) != ("asymmetric", "floor"):
        if not whole or (coordinates, rounding) != ("half_pixel", "round_prefer_floor"):
            raise NotApplicable("coordinates or a rounding of them that we have no word for")
    elif mode == "linear" and coordinates not in ("half_pixel", "align_corners"):
        raise NotApplicable("coordinates or a rounding of them that we have no word for")


# --- matrices and normalization -------------------------------------------------------------------------------------


@reads("Gemm")
def _gemm(example: Example) -> Layer:
    if example.attributes.get("transA", 0) or any(example.attributes.get(name, 1) != 1 for name in ("alpha", "beta")):
        raise NotApplicable("a product that is scaled, or of a matrix turned over: no linear layer")
    weight, bias = example.needed(1), example.optional(2)
    weight = weight if example.attributes.get("transB", 0) else weight.T
    if bias is not None:
        if bias.ndim == 2 and bias.shape[0] > 1:
            raise NotApplicable("a bias for each row: no linear layer")
        bias = np.broadcast_to(bias.reshape(-1), weight.shape[:1])
    attributes = {"features": weight.shape[0], "bias": bias is not None}
    return Layer("linear", attributes, (example.x,), example.outputs[0], _weights(weight, bias))


@reads("MatMul")
def _matmul(example: Example) -> Layer:
    weight = example.needed(1)
    if weight.ndim != 2 or example.x.ndim < 2:
        raise NotApplicable("a matrix for each sample: no linear layer")
    attributes = {"features": weight.shape[1], "bias": False}
    return Layer("linear", attributes, (example.x,), example.outputs[0], {"weight": weight.T})


@reads("BatchNormalization")
def _batch_norm(example: Example) -> Layer:
    names = ("weight", "bias", "running_mean", "running_var")
    weights = {name: example.needed(index) for index, name in enumerate(names, start=1)}
    attributes = {"eps": float(example.attributes.get("epsilon", 1e-5))}
    tracked = {"num_batches_tracked": np.array(0, np.int64)}
    return Layer("batch_norm", attributes, (example.x,), example.outputs[0], weights | tracked)


@reads("LRN")
def _local_response_norm(example: Example) -> Layer:
    given = {"alpha": 1e-4, "beta": 0.75, "bias": 1.0} | dict(example.attributes)
    attributes = {"size": given["size"], "alpha": given["alpha"], "beta": given["beta"], "k": given["bias"]}
    return _plain("local_response_norm", example, **attributes)


# --- activations ----------------------------------------------------------------------------------------------------

ACTIVATIONS = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "HardSwish": "hard_swish", "Mish": "mish",
    "Softplus": "softplus", "Identity": "identity",
}  # fmt: skip


@reads(*ACTIVATIONS)
def _activation(example: Example) -> Layer:
    return _plain(ACTIVATIONS[example.operator], example)


@reads("LeakyRelu")
def _leaky_relu(example: Example) -> Layer:
    return _plain("leaky_relu", example, slope=example.attributes.get("alpha", 0.01))


@reads("Elu")
def _elu(example: Example) -> Layer:
    return _plain("elu", example, alpha=example.attributes.get("alpha", 1.0))


@reads("Gelu")
def _gelu(example: Example) -> Layer:
    return _plain("gelu", example, approximate=example.attributes.get("approximate", "none"))


CONSTANTS = {
    "Selu": ("selu", {"alpha": (1.67326319, 1.67326319), "gamma": (1.05070102, 1.05070102)}),
    "HardSigmoid": ("hard_sigmoid", {"alpha": (0.2, 1 / 6), "beta": (0.5, 0.5)}),
    "Swish": ("silu", {"alpha": (1.0, 1.0)}),
}
"""Activations whose numbers are fixed here: our name, and of each number ONNX's default and ours."""


@reads(*CONSTANTS)
def _fixed(example: Example) -> Layer:
    kind, numbers = CONSTANTS[example.operator]
    for name, (default, ours) in numbers.items():
        if not isclose(example.attributes.get(name, default), ours, rel_tol=1e-6):
            raise NotApplicable(f"'{kind}' has the numbers of its paper, not others")
    return _plain(kind, example)


@reads("Softmax", "LogSoftmax")
def _softmax(example: Example) -> Layer:
    axis, room = _along(example, example.attributes.get("axis", -1))
    kind = "softmax" if example.operator == "Softmax" else "log_softmax"
    return Layer(kind, {"axis": axis}, (room(example.x),), room(example.outputs[0]))


@reads("Dropout")
def _dropout(example: Example) -> Layer:
    training, ratio = example.optional(2), example.optional(1)
    if training is not None and training.item():
        raise NotApplicable("dropout while training is random")
    share = float(example.attributes.get("ratio", 0.5) if ratio is None else ratio)
    return Layer("dropout", {"p": share}, (example.x,), example.outputs[0])


# --- joins and layout -----------------------------------------------------------------------------------------------

JOINS = {"Add": "add", "Sum": "add", "Mul": "mul", "Max": "max", "Mean": "mean"}


@reads(*JOINS)
def _join(example: Example) -> Layer:
    return _plain(JOINS[example.operator], example)


@reads("Concat")
def _concat(example: Example) -> Layer:
    axis, room = _along(example, example.attributes["axis"])
    inputs = tuple(room(array) for array in example.inputs if array is not None)
    return Layer("concat", {"axis": axis}, inputs, room(example.outputs[0]))


@reads("Flatten")
def _flatten(example: Example) -> Layer:
    axis = example.attributes.get("axis", 1)
    axis += example.x.ndim if axis < 0 else 0
    if axis > 1:
        raise NotApplicable("folds axes into the batch")
    return Layer("flatten", {}, (example.x if axis else example.x[None],), example.outputs[0])


@reads("Reshape", "Squeeze", "Unsqueeze")
def _reshape(example: Example) -> Layer:
    output = example.outputs[0]
    written = example.numbers(1) if example.operator == "Reshape" else None
    sizes = output.shape if written is None else tuple(size or output.shape[i] for i, size in enumerate(written))
    return Layer("reshape", {"sizes": list(sizes)}, (example.x[None],), output[None])


@reads("Transpose")
def _permute(example: Example) -> Layer:
    order = list(example.attributes.get("perm", range(example.x.ndim)[::-1]))
    if order[0] == 0:
        return Layer("permute", {"order": order[1:]}, (example.x,), example.outputs[0])
    return Layer("permute", {"order": [axis + 1 for axis in order]}, (example.x[None],), example.outputs[0][None])


@reads("Gather")
def _gather(example: Example) -> Layer:
    indices = example.needed(1)
    if indices.ndim != 1:
        raise NotApplicable("indices that add or remove an axis")
    return _selection(example, example.attributes.get("axis", 0), indices)


@reads("Slice")
def _slice(example: Example) -> Layer:
    starts, ends = (example.numbers(index) or [] for index in (1, 2))
    axes = example.numbers(3) or range(len(starts))
    steps = example.numbers(4) or [1] * len(starts)
    kept = {
        axis: np.arange(example.x.shape[axis])[start:end:step]
        for axis, start, end, step in zip(axes, starts, ends, steps, strict=True)
    }
    cut = {axis: rows for axis, rows in kept.items() if rows.size != example.x.shape[axis]}
    if len(cut) != 1:
        raise NotApplicable("cuts several axes at once")
    ((axis, rows),) = cut.items()
    return _selection(example, axis, rows)


def _selection(example: Example, axis: int, indices: Array) -> Layer:
    size = example.x.shape[axis]
    axis, room = _along(example, axis)
    attributes = {"axis": axis, "indices": [int(index) % size for index in indices]}
    return Layer("select", attributes, (room(example.x),), room(example.outputs[0]))


@reads("Pad")
def _pad(example: Example) -> Layer:
    given, value = example.numbers(1) or [], example.optional(2)
    axes = example.numbers(3) or range(example.x.ndim)
    pads = {axis % example.x.ndim: [given[i], given[i + len(axes)]] for i, axis in enumerate(axes)}
    if any(any(pads.get(axis, ())) for axis in (0, 1)):
        raise NotApplicable("pads the batch or the channels")
    mode = {"edge": "replicate", "wrap": "circular"}.get(name := example.attributes.get("mode", "constant"), name)
    padding = [pads.get(axis, [0, 0]) for axis in range(2, example.x.ndim)]
    attributes = {"padding": padding, "mode": mode} | ({} if value is None else {"value": value.item()})
    if example.x.dtype == np.int32:  # values that are only moved are the same as float32
        return Layer("pad", attributes, (example.x.astype(np.float32),), example.outputs[0].astype(np.float32))
    return Layer("pad", attributes, (example.x,), example.outputs[0])


@reads("CenterCropPad")
def _center_crop(example: Example) -> Layer:
    sizes = example.outputs[0].shape
    if any(m > n for n, m in zip(example.x.shape, sizes, strict=True)):
        raise NotApplicable("pads what is smaller than its crop")
    return Layer("center_crop", {"size": list(sizes)}, (example.x[None, None],), example.outputs[0][None, None])
