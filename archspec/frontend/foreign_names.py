"""What other frameworks and papers call ops and their attributes, for the help under a word that is not ours."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

from archspec.diagnostics import did_you_mean, nearest

_OPS = {
    "attention": "multi_head_attention", "average": "mean", "averagepooling": "avg_pool", "bn": "batch_norm",
    "branch": "parallel", "cat": "concat", "concatenate": "concat", "convolution": "conv", "crop": "center_crop",
    "deconv": "conv_transpose", "dense": "linear", "depthtospace": "pixel_shuffle",
    "depthwiseconv": "conv {channels: in.channels, kernel: ..., groups: in.channels}", "droppath": "stochastic_depth",
    "dropout2d": "spatial_dropout", "dropout3d": "spatial_dropout", "fc": "linear", "fullyconnected": "linear",
    "gap": "global_avg_pool", "gemm": "linear", "innerproduct": "linear", "interpolate": "upsample",
    "lrelu": "leaky_relu", "lrn": "local_response_norm", "maximum": "max", "mha": "multi_head_attention",
    "multiply": "mul", "resize": "upsample", "shortcut": "residual", "skip": "residual",
    "spacetodepth": "pixel_unshuffle", "sum": "add", "swish": "silu", "transpose": "permute", "view": "reshape",
    "zeropadding": "pad",
}  # fmt: skip
"""By small letters alone, without the `2d` at their end unless they would mean something else without."""

_POOLINGS = "use 'max_pool', 'avg_pool', or 'global_avg_pool' over the whole map"
_INPUTS = "declare inputs at the top level: input: [channels, height, width]"
_OPS_INSTEAD = {
    "activation": "write the activation as an item of its own: - relu",
    "input": _INPUTS, "inputlayer": _INPUTS,
    "output": "the output is the value of the last layer; name others in 'outputs' at the top level",
    "pool": _POOLINGS, "pooling": _POOLINGS,
}  # fmt: skip
"""What to do about ops that nothing here is called, by small letters alone."""

_CALL = re.compile(r"([A-Za-z]\w*)\s*[ (]")

_KEYS = {
    "alpha": ("slope",), "backbone": ("layers",), "bias_term": ("bias",), "block_size": ("factor",),
    "bottom": ("from",), "branches": ("paths",), "ceil_mode": ("ceil",), "count": ("times",),
    "dilation_rate": ("dilation",), "dilations": ("dilation",), "dim": ("axis", "axes"), "dims": ("order", "axes"),
    "downscale_factor": ("factor",), "drop_prob": ("p",), "dropout_ratio": ("p",), "embedding_dim": ("features",),
    "end_dim": ("end",), "epsilon": ("eps",), "filters": ("channels",), "group": ("groups",),
    "head": ("heads", "layers"), "initializer": ("init",), "input_shape": ("input",), "input_size": ("input",),
    "inputs": ("from",), "interpolation": ("mode",), "kernel_initializer": ("init",), "kernel_shape": ("kernel",),
    "kernel_size": ("kernel",), "ksize": ("kernel",), "negative_slope": ("slope",), "num_embeddings": ("entries",),
    "num_filters": ("channels",), "num_groups": ("groups",), "num_heads": ("heads",),
    "num_output": ("features", "channels"), "num_units": ("features",), "out_channels": ("channels",),
    "out_features": ("features",), "output_dim": ("features",), "output_size": ("size",), "pad": ("padding",),
    "pads": ("padding",), "perm": ("order",), "pool_size": ("kernel",), "prob": ("p",), "rate": ("dilation", "p"),
    "ratio": ("p",), "return_indices": ("indices",), "scale_factor": ("scale",), "start_dim": ("start",),
    "strides": ("stride",), "units": ("features",), "upscale_factor": ("factor",), "use_bias": ("bias",),
    "window_size": ("kernel",),
}  # fmt: skip
"""What a key may be called here: the first of these that can stand where the word was written."""

_INFERRED = "remove it: it is inferred from the input"
_INSTEAD = {
    **dict.fromkeys(
        ("in_channels", "in_features", "in_planes", "input_dim", "input_shape", "input_size", "normalized_shape",
         "num_channels", "num_features"), _INFERRED),
    "activation": "write the activation as the next item: - relu",
    "data_format": "remove it: channels always come first",
    "inplace": "remove it: generated PyTorch source works in place where it can",
    "padding_mode": "put a `pad` item with a `mode` before this one",
}  # fmt: skip
"""What to do about keys that nothing here is called."""


_FUNCTIONS = {
    "ceiling": "ceil", "int": "floor", "length": "len", "make_divisible": "divisible", "size": "len", "trunc": "floor",
}  # fmt: skip
"""What functions are called here."""

_NUMBERS_OF_ROUNDS = frozenset(("i", "j", "k", "idx", "index"))
"""What the number of a round is called most often."""


def with_space(word: str) -> str | None:
    """A help line for words that YAML takes for one because no space stands after their colon."""
    name, _, value = word.partition(":")
    if not (value and name.isidentifier()) or value.startswith("//"):
        return None
    return f"put a space after the colon: {name}: {value if value.isalnum() else '...'}"


def op_help(word: str, known: Iterable[str]) -> str | None:
    """A help line for an op nobody knows: what it is called here, or the nearest of those known."""
    if (call := _CALL.match(word)) and call[1] in (known := list(known)):
        return f"write attributes after a colon: - {call[1]}: ..."
    letters = word.lower().replace("_", "")
    if letters in _OPS_INSTEAD:
        return _OPS_INSTEAD[letters]
    elsewhere = _OPS.get(letters) or _OPS.get(re.sub(r"[1-3]d$", "", letters))
    return f"use '{elsewhere}'" if elsewhere else with_space(word) or did_you_mean(word, known)


def key_meant(word: str, known: Container[str]) -> str | None:
    """What a key of another framework is called here, if it can stand among those known."""
    return next((name for name in _KEYS.get(word, ()) if name in known), None)


def key_help(word: str, known: Iterable[str]) -> str | None:
    """A help line for an unknown key: what it is called here, what to do without it, or the nearest of those known."""
    names = list(known)
    meant = key_meant(word, names)
    if meant:
        return f"use '{meant}'"
    return _INSTEAD.get(word) or with_space(word) or did_you_mean(word, names)


def function_help(word: str, known: Iterable[str]) -> str | None:
    """A help line for a function nobody knows."""
    return f"use '{_FUNCTIONS[word]}'" if word in _FUNCTIONS else did_you_mean(word, known)


def name_help(word: str, known: Iterable[str]) -> str | None:
    """A help line for a name that no expression knows there."""
    names = list(known)
    if word in _NUMBERS_OF_ROUNDS and nearest(word, names) is None:
        return f"name the iteration number in the 'repeat': index: {word}"
    return did_you_mean(word, names)
