"""Names that other frameworks and papers give to ops and attributes, for the help of diagnostics."""

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
"""Ops by their names elsewhere: lower-case letters alone, without a final `2d` unless that changes the meaning."""

_POOLINGS = "use 'max_pool', 'avg_pool', or 'global_avg_pool' over the whole map"
_INPUTS = "declare inputs at the top level: input: [channels, height, width]"
_LOSS = "archspec describes networks without losses: return the scores, and compute the loss in the training code"
_TRAINING = "archspec describes networks only: set up the training in the training code"
_DATA = "archspec describes networks only: prepare the inputs in the data pipeline"
_RECURRENT = "archspec has no recurrent layers; a plugin can add an op"
_DETECTION = "archspec has no op for this: return the raw values in 'outputs', and process them after the network"
_OPS_INSTEAD = {
    **dict.fromkeys(("binarycrossentropy", "crossentropy", "mse"), _LOSS),
    **dict.fromkeys(("accuracy", "adam", "adamw", "rmsprop", "sgd"), _TRAINING),
    **dict.fromkeys(
        ("centercropping", "data", "imagedata", "normalize", "randomcrop", "randomflip", "rescaling", "resizing",
         "totensor"), _DATA),
    **dict.fromkeys(("bilstm", "gru", "lstm", "rnn", "simplernn"), _RECURRENT),
    **dict.fromkeys(("detect", "detectionoutput", "nms", "nonmaxsuppression", "yolo"), _DETECTION),
    **dict.fromkeys(
        ("reflectionpad", "replicationpad"), "use 'pad' with a mode: - pad: {padding: ..., mode: reflect}"),
    **dict.fromkeys(("c2f", "c3", "sppf"), "the zoo has no such block: write it under 'blocks'"),
    "eltwise": "use 'add', 'mul' or 'max'",
    "lambda": "write the ops as items of their own; a plugin can add an op",
    "activation": "write the activation as an item of its own: - relu",
    "input": _INPUTS, "inputlayer": _INPUTS,
    "output": "the output is the value of the last layer; name others in 'outputs' at the top level",
    "pool": _POOLINGS, "pooling": _POOLINGS,
}  # fmt: skip
"""Help for ops that have no counterpart, by lower-case letters alone."""

_BLOCKS = {
    "aspp": ("atrous_pyramid", "atrous_pyramid"), "basicblock": ("basic", "residual"),
    "bottleneck": ("bottleneck", "residual"), "cbr": ("conv_norm_act", "conv_norm_act"),
    "convbn": ("conv_norm_act", "conv_norm_act"), "convbnact": ("conv_norm_act", "conv_norm_act"),
    "convbnrelu": ("conv_norm_act", "conv_norm_act"), "convbnsilu": ("conv_norm_act", "conv_norm_act"),
    "convnormact": ("conv_norm_act", "conv_norm_act"), "denselayer": ("dense_layer", "dense_layer"),
    "depthwiseseparable": ("depthwise_separable", "separable_conv"),
    "depthwiseseparableconv": ("depthwise_separable", "separable_conv"),
    "doubleconv": ("double_conv", "double_conv"), "inception": ("inception", "inception"),
    "invertedresidual": ("inverted_residual", "inverted_residual"), "mbconv": ("mbconv", "inverted_residual"),
    "resblock": ("basic", "residual"), "residualblock": ("basic", "residual"),
    "se": ("squeeze_excite", "squeeze_excite"),
    "selayer": ("squeeze_excite", "squeeze_excite"), "separableconv": ("separable_conv", "separable_conv"),
    "sepconv": ("separable_conv", "separable_conv"), "squeezeexcitation": ("squeeze_excite", "squeeze_excite"),
    "squeezeexcite": ("squeeze_excite", "squeeze_excite"),
}  # fmt: skip
"""Blocks of the zoo by their names elsewhere, in lower-case letters alone: the block, and its file in `blocks/`."""

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
"""Keys by their names elsewhere: the first that is allowed in a place is suggested."""

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
"""Help for keys that have no counterpart."""


_FUNCTIONS = {
    "ceiling": "ceil", "int": "floor", "length": "len", "make_divisible": "divisible", "size": "len", "trunc": "floor",
}  # fmt: skip
"""Functions by their names elsewhere."""

_ITERATION_NUMBERS = frozenset(("i", "j", "k", "idx", "index"))
"""Common names of an iteration number."""


def with_space(word: str) -> str | None:
    """The help for a word that lacks the space after its colon, so that YAML reads it as text."""
    name, _, value = word.partition(":")
    if not (value and name.isidentifier()) or value.startswith("//"):
        return None
    return f"put a space after the colon: {name}: {value if value.isalnum() else '...'}"


def op_help(word: str, known: Iterable[str]) -> str | None:
    """The help for an unknown op: its name here, a block of the zoo, or the nearest known name."""
    if (call := _CALL.match(word)) and call[1] in (known := list(known)):
        return f"write attributes after a colon: - {call[1]}: ..."
    letters = re.sub(r"[._]", "", word.lower().removeprefix("nn."))
    if letters.endswith("loss"):
        return _LOSS
    for name in (letters, re.sub(r"[1-3]d$", "", letters)):
        if name in _OPS_INSTEAD:
            return _OPS_INSTEAD[name]
        if name in _OPS:
            return f"use '{_OPS[name]}'"
        if name in _BLOCKS:
            block, file = _BLOCKS[name]
            return f"the zoo has a block for this: add import: blocks/{file}.yaml, and use '{block}'"
    return with_space(word) or did_you_mean(word, known)


def keyword_help(word: str, keywords: Container[str]) -> str | None:
    """The help for a word in place of a keyword of an attribute: padding by a mode is an op of its own."""
    if "same" in keywords and word in ("reflect", "replicate", "circular"):
        return f"put a 'pad' item before this one: - pad: {{padding: ..., mode: {word}}}"
    return None


def key_meant(word: str, known: Container[str]) -> str | None:
    """The key that a name of another framework stands for, if it is among those known."""
    return next((name for name in _KEYS.get(word, ()) if name in known), None)


def key_help(word: str, known: Iterable[str]) -> str | None:
    """The help for an unknown key: its name here, what to do without it, or the nearest known key."""
    names = list(known)
    meant = key_meant(word, names)
    if meant:
        return f"use '{meant}'"
    return _INSTEAD.get(word) or with_space(word) or did_you_mean(word, names)


def function_help(word: str, known: Iterable[str]) -> str | None:
    """The help for an unknown function."""
    return f"use '{_FUNCTIONS[word]}'" if word in _FUNCTIONS else did_you_mean(word, known)


def name_help(word: str, known: Iterable[str]) -> str | None:
    """The help for an unknown name in an expression."""
    names = list(known)
    if word in _ITERATION_NUMBERS and nearest(word, names) is None:
        return f"name the iteration number in the 'repeat': index: {word}"
    return did_you_mean(word, names)
