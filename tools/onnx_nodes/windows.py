"""Convolution, pooling and resizing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from tools.onnx_nodes.reading import Array, Example, Layer, NotApplicable, plain, reads, weights_of


def _window(example: Example, kernel: Sequence[int]) -> dict[str, Any]:
    """Kernel, stride, dilation and padding as attributes of an op."""
    ones = [1] * len(kernel)
    strides, dilations = (list(example.attributes.get(name, ones)) for name in ("strides", "dilations"))
    written: dict[str, Any] = {"kernel": list(kernel), "stride": strides, "padding": _padding(example, kernel)}
    return written | ({"dilation": dilations} if dilations != ones else {})


def _padding(example: Example, kernel: Sequence[int]) -> Any:
    axes = len(kernel)
    how = example.attributes.get("auto_pad", "NOTSET")
    if how in ("SAME_UPPER", "VALID"):
        return {"SAME_UPPER": "same", "VALID": "valid"}[how]
    if how == "SAME_LOWER":  # the odd row goes before the input, so the padding is explicit
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
    return Layer("conv", attributes, (example.x,), example.outputs[0], weights_of(weight, bias))


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
    return Layer("conv_transpose", attributes, (example.x,), example.outputs[0], weights_of(weight, bias))


def _cropped_to(
    wanted: Sequence[int], example: Example, window: Mapping[str, Any], added: Sequence[int]
) -> tuple[list[list[int]], list[int]]:
    """The padding and output padding per axis that give these output sizes; the odd row is cropped at the start."""
    dilations = window.get("dilation", [1] * len(wanted))
    axes = zip(example.x.shape[2:], window["kernel"], window["stride"], dilations, added, wanted, strict=True)
    spare = [(n - 1) * s + (f - 1) * d + 1 + more - want for n, f, s, d, more, want in axes]
    crops = [[rows - rows // 2, rows // 2] if rows > 0 else [0, 0] for rows in spare]
    return crops, [more + max(-rows, 0) for more, rows in zip(added, spare, strict=True)]


@reads("MaxPool", "AveragePool")
def _pool(example: Example) -> Layer:
    average = example.operator == "AveragePool"
    attributes = _window(example, example.attributes["kernel_shape"])
    attributes["ceil"] = bool(example.attributes.get("ceil_mode", 0))
    if average:
        attributes["count_include_pad"] = bool(example.attributes.get("count_include_pad", 0))
        if "dilation" in attributes:
            raise NotApplicable("'avg_pool' has no dilation")
    elif len(example.outputs) > 1:
        if example.attributes.get("storage_order", 0):
            raise NotApplicable("indices counted column by column")
        output = dict(
            zip(("output", "indices"), example.outputs, strict=True)
        )  # with one channel, both count indices alike
        return Layer("max_pool", attributes | {"indices": True}, (example.x,), output)
    return plain("avg_pool" if average else "max_pool", example, **attributes)


@reads("MaxUnpool")
def _unpool(example: Example) -> Layer:
    if len(example.inputs) > 2:
        raise NotApplicable("indices for another size than the output's")
    attributes = {"kernel": example.attributes["kernel_shape"], "stride": example.attributes["strides"]}
    return plain("max_unpool", example, **attributes)


@reads("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(example: Example) -> Layer:
    return plain("global_avg_pool" if example.operator == "GlobalAveragePool" else "global_max_pool", example)


@reads("Upsample", "Resize")
def _resize(example: Example) -> Layer:
    scales = example.optional(1 if example.operator == "Upsample" else 2)
    mode = example.attributes.get("mode", "nearest")
    sizes = example.outputs[0].shape
    _need_supported_resizing(example, mode, scales)
    if sizes[:2] != example.x.shape[:2]:
        raise NotApplicable("resizes the batch or the channels")
    corners = example.attributes.get("coordinate_transformation_mode") == "align_corners"
    return Layer(
        "upsample",
        {"size": list(sizes[2:]), "mode": mode, "align_corners": corners},
        (example.x,),
        example.outputs[0],
    )


def _need_supported_resizing(example: Example, mode: str, scales: Array | None) -> None:
    if mode not in ("nearest", "linear") or example.attributes.get("antialias", 0):
        raise NotApplicable("interpolation other than nearest and linear")
    if "keep_aspect_ratio_policy" in example.attributes or example.attributes.get("exclude_outside", 0):
        raise NotApplicable("an unsupported policy of resizing")
    pairs = list(zip(example.x.shape, example.outputs[0].shape, strict=False))
    if scales is not None and any(n * scale != m for (n, m), scale in zip(pairs, scales, strict=True)):
        raise NotApplicable("a scale that differs from the ratio of the sizes")
    default = "asymmetric" if example.operator == "Upsample" else "half_pixel"
    coordinates = example.attributes.get("coordinate_transformation_mode", default)
    rounding = example.attributes.get("nearest_mode", "floor" if default == "asymmetric" else "round_prefer_floor")
    whole = all(m % n == 0 for n, m in pairs)  # then rounding the centre of an output pixel gives its source pixel
    if mode == "nearest" and (coordinates, rounding) != ("asymmetric", "floor"):
        if not whole or (coordinates, rounding) != ("half_pixel", "round_prefer_floor"):
            raise NotApplicable("unsupported coordinates or rounding")
    elif mode == "linear" and coordinates not in ("half_pixel", "align_corners"):
        raise NotApplicable("unsupported coordinates or rounding")
