"""Names that other frameworks and papers give to ops and attributes, for the help of diagnostics."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from fnmatch import fnmatchcase

from archspec.diagnostics import Replacement, did_you_mean, nearest

_OPS = {
    "absolute": "abs", "amax": "reduce_max", "amin": "reduce_min", "attention": "multi_head_attention",
    "average": "mean", "averagepooling": "avg_pool", "bn": "batch_norm", "broadcastto": "expand",
    "branch": "parallel", "cat": "concat", "chunk": "split", "clstoken": "class_token", "concatenate": "concat",
    "convolution": "conv", "crop": "center_crop", "crossattention": "multi_head_attention",
    "deconv": "conv_transpose", "dense": "linear", "divide": "div",
    "depthtospace": "pixel_shuffle",
    "depthwiseconv": "conv {channels: in.channels, kernel: ..., groups: in.channels}", "droppath": "stochastic_depth",
    "dropout2d": "spatial_dropout", "dropout3d": "spatial_dropout", "dwconv": "conv {groups: in.channels, ...}",
    "eq": "equal", "expanddims": "unsqueeze", "fc": "linear", "fullyconnected": "linear", "gap": "global_avg_pool",
    "gather": "select", "ge": "greater_equal", "gemm": "linear", "gmp": "global_max_pool",
    "greaterorequal": "greater_equal", "gt": "greater", "indexselect": "select", "innerproduct": "linear",
    "interpolate": "upsample", "le": "less_equal", "lessorequal": "less_equal", "lrelu": "leaky_relu",
    "lrn": "local_response_norm", "lt": "less", "maskedfill": "where", "maximum": "max",
    "mha": "multi_head_attention", "minimum": "min", "multiply": "mul", "ne": "not_equal", "negative": "neg",
    "positionalencoding": "position_embedding", "posembed": "position_embedding", "pack": "stack", "power": "pow",
    "prod": "reduce_prod", "resize": "upsample", "selfattention": "multi_head_attention", "reverse": "flip",
    "shortcut": "residual", "skip": "residual", "simplernn": "rnn", "spacetodepth": "pixel_unshuffle",
    "subtract": "sub", "std": "reduce_std", "sum": "add", "swapaxes": "permute", "swish": "silu", "take": "select",
    "transpose": "permute", "unflatten": "reshape", "upsampling": "upsample", "var": "reduce_var",
    "variance": "reduce_var", "upsamplingbilinear": "upsample", "upsamplingnearest": "upsample", "view": "reshape",
    "zeropad": "pad", "zeropadding": "pad",
}  # fmt: skip
"""Ops by their names elsewhere: lower-case letters alone, without a final `2d` unless that changes the meaning."""

_SIMILAR = frozenset(
    ("attention", "branch", "chunk", "crop", "crossattention", "gather", "interpolate", "maskedfill",
     "positionalencoding", "resize", "shortcut", "skip", "swapaxes", "take", "transpose", "unflatten",
     "upsampling", "upsamplingbilinear", "view")
)  # fmt: skip
"""Names among them that do not mean quite the same, or take other attributes."""

_POOLINGS = "use 'max_pool', 'avg_pool', or 'global_avg_pool' over the whole map"
_INPUTS = "declare inputs at the top level: input: [channels, height, width]"
_LOSS = "archspec describes networks without losses: return the scores, and compute the loss in the training code"
_TRAINING = "archspec describes networks only: set up the training in the training code"
_DATA = "archspec describes networks only: prepare the inputs in the data pipeline"
_BIDIRECTIONAL = "recurrent layers take it as an attribute: - lstm: {features: ..., bidirectional: true}"
_TIME_DISTRIBUTED = "write the op as it is: linear layers, normalizations and activations apply to every position"
_NO_CELL = "archspec has 'lstm', 'gru' and 'rnn' over whole sequences; a plugin can add an op"
_DETECTION = "archspec has no op for this: return the raw values in 'outputs', and process them after the network"
_USE_NETWORK = "import the file of a network, and call it by its name, as in - resnet34: {name: encoder, until: layer4}"
_OPS_INSTEAD = {
    **dict.fromkeys(("binarycrossentropy", "crossentropy", "mse"), _LOSS),
    **dict.fromkeys(("accuracy", "adam", "adamw", "rmsprop", "sgd"), _TRAINING),
    **dict.fromkeys(
        ("centercropping", "data", "imagedata", "normalize", "randomcrop", "randomflip", "rescaling", "resizing",
         "totensor"), _DATA),
    **dict.fromkeys(
        ("detect", "detectionoutput", "nms", "nonmaxsuppression", "obb", "pose", "segment", "yolo"), _DETECTION),
    "bidirectional": _BIDIRECTIONAL, "timedistributed": _TIME_DISTRIBUTED,
    **dict.fromkeys(("bigru", "bilstm", "birnn"), _BIDIRECTIONAL),
    **dict.fromkeys(
        ("reflectionpad", "replicationpad"), "use 'pad' with a mode: - pad: {padding: ..., mode: reflect}"),
    **dict.fromkeys(
        ("c2f", "c2psa", "c3", "c3k2", "focus", "ghostconv", "patchembed", "spp", "sppf"),
        "the zoo has no such block: write it under 'blocks'"),
    "classify": "use 'global_avg_pool', 'flatten' and 'linear'", "rearrange": "use 'reshape' and 'permute'",
    "eltwise": "use 'add', 'sub', 'mul', 'div', 'min' or 'max'",
    "lambda": "write the ops as items of their own; a plugin can add an op",
    **dict.fromkeys(("backbone", "encoder", "featureextractor", "model", "network", "pretrained"), _USE_NETWORK),
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
    "minpool": ("min_pool", "pools"), "minpooling": ("min_pool", "pools"),
    "resblock": ("basic", "residual"), "residualblock": ("basic", "residual"),
    "se": ("squeeze_excite", "squeeze_excite"),
    "selayer": ("squeeze_excite", "squeeze_excite"), "separableconv": ("separable_conv", "separable_conv"),
    "sepconv": ("separable_conv", "separable_conv"), "squeezeexcitation": ("squeeze_excite", "squeeze_excite"),
    "squeezeexcite": ("squeeze_excite", "squeeze_excite"),
}  # fmt: skip
"""Blocks of the zoo by their names elsewhere, in lower-case letters alone: the block, and its file in `blocks/`."""

_FAMILIES = {
    **{re.sub("_", "", name): name for name in (
        "alexnet", "convnext", "densenet", "efficientnet", "efficientnet_v2", "googlenet", "inception_v3",
        "mobilenet_v1", "mobilenet_v2", "mobilenet_v3", "regnet", "resnet", "shufflenet_v2",
        "squeezenet", "vgg", "vit", "xception")},
    "mobilenet": "mobilenet_v3", "resnext": "resnet", "seresnet": "senet", "wideresnet": "resnet",
    "resnet*cifar": "resnet_cifar", "vgg*attention": "vgg_attention",
}  # fmt: skip
"""Files of networks of the zoo by the beginnings of their names, in lower-case letters and digits alone."""

_CALL = re.compile(r"([A-Za-z]\w*)\s*[ (]")

_KEYS = {
    "alpha": ("slope",), "arguments": ("args",), "backbone": ("layers",), "bias_term": ("bias",), "block": ("layers",),
    "block_size": ("factor",), "blocks": ("layers",), "body": ("layers",), "border_mode": ("padding",),
    "bottom": ("from",), "branches": ("paths",), "by": ("number",), "c2": ("channels", "features"),
    "ceil_mode": ("ceil",), "ch": ("channels",), "children": ("layers",), "classes": ("features",),
    "condition": ("when",), "constants": ("params",), "count": ("times",), "cout": ("channels", "features"),
    "d": ("dilation",), "description": ("summary",), "dilation_rate": ("dilation",), "dilations": ("dilation",),
    "dim": ("axis", "axes"), "dims": ("order", "axes"), "downsample": ("shortcut",), "downscale_factor": ("factor",),
    "drop": ("p",), "drop_prob": ("p",), "drop_rate": ("p",), "dropout_ratio": ("p",), "each": ("over",),
    "elementwise_affine": ("affine",), "embedding_dim": ("features",), "end_dim": ("end",), "epsilon": ("eps",),
    "exponent": ("number",), "factor": ("scale",), "filters": ("channels",), "for": ("as",), "g": ("groups",),
    "group": ("groups",), "head": ("heads", "layers"), "hidden": ("features",), "hidden_dim": ("features",),
    "hidden_size": ("features",), "identity": ("shortcut",), "if": ("when",), "imports": ("import",),
    "include": ("import",), "initializer": ("init",), "input_shape": ("input",), "input_size": ("input",),
    "inputs": ("from",), "interpolation": ("mode",), "is_causal": ("causal",), "items": ("over",), "k": ("kernel",),
    "kernel_initializer": ("init",), "kernel_shape": ("kernel",), "kernel_size": ("kernel",), "ks": ("kernel",),
    "ksize": ("kernel",), "main": ("layers",), "model": ("layers",), "modules": ("layers",), "n": ("times",),
    "n_heads": ("heads",), "n_out": ("features", "channels"), "negative_slope": ("slope",), "network": ("layers",),
    "nhead": ("heads",), "num_blocks": ("times",), "num_classes": ("features",), "num_embeddings": ("entries",),
    "num_filters": ("channels",), "num_groups": ("groups",), "num_heads": ("heads",),
    "num_layers": ("times", "depth"),
    "num_output": ("features", "channels"), "num_units": ("features",), "number": ("times",), "other": ("number",),
    "out": ("channels", "features"), "out_ch": ("channels",), "out_channels": ("channels",),
    "out_dim": ("features", "channels"), "out_features": ("features",), "out_planes": ("channels",),
    "outplanes": ("channels",), "output_dim": ("features",), "output_size": ("size",), "p": ("padding",),
    "pad": ("padding",), "pads": ("padding",), "paper": ("reference",), "parameters": ("params", "args"),
    "perm": ("order",), "planes": ("channels",), "pool_size": ("kernel",), "prob": ("p",), "rate": ("dilation", "p"),
    "ratio": ("p",), "repeats": ("times",), "return_indices": ("indices",), "s": ("stride",),
    "scale_factor": ("scale",), "shape": ("sizes", "size"), "size": ("kernel", "features"), "start_dim": ("start",),
    "steps": ("layers",), "stop": ("end",), "strides": ("stride",), "subsample": ("stride",),
    "target_shape": ("sizes",), "units": ("features",), "upscale_factor": ("factor",), "use_bias": ("bias",),
    "use_causal_mask": ("causal",),
    "values": ("over",), "vars": ("params",), "vocab_size": ("entries",), "width": ("channels", "features"),
    "window_size": ("kernel",),
}  # fmt: skip
"""Keys by their names elsewhere: the first that is allowed in a place is suggested."""

_MASK = "write mask: true, and give the mask as the last input: from: [prev, mask]; it is 0 where nothing is read"
_INFERRED = "remove it: it is inferred from the input"
_NORMALIZED = "remove it: it is inferred from the input; 'axes' is the number of axes, or channels"
_INSTEAD = {
    **dict.fromkeys(("attention_mask", "attn_mask", "key_padding_mask"), _MASK),
    **dict.fromkeys(
        ("c1", "cin", "d_model", "embed_dim", "in", "in_ch", "in_channels", "in_chans", "in_dim", "in_features",
         "in_planes", "in_size", "inplanes", "input_channels", "input_dim", "input_features", "input_shape",
         "input_size", "n_in", "num_channels", "num_features"), _INFERRED),
    **dict.fromkeys(("act", "activation", "nonlinearity"), "write the activation as the next item: - relu"),
    **dict.fromkeys(
        ("batch_norm", "batchnorm", "bn", "norm", "norm_layer", "normalization", "use_bn"),
        "write the normalization as the next item: - batch_norm"),
    **dict.fromkeys(("bias_regularizer", "kernel_regularizer", "lr", "optimizer", "weight_decay"), _TRAINING),
    "data_format": "remove it: channels always come first",
    "inplace": "remove it: generated PyTorch source works in place where it can",
    "like": "use 'upsample_like' or 'crop_like': - upsample_like: [prev, other]",
    **dict.fromkeys(("kdim", "length", "max_len", "num_positions", "seq_len", "vdim"), _INFERRED),
    "normalized_shape": _NORMALIZED,
    "track_running_stats": "remove it: running statistics are always kept",
}  # fmt: skip
"""Help for keys that have no counterpart."""

_AXES = frozenset(("axes", "axis", "dim", "dims", "keepdim", "keepdims"))
_REDUCED = "'reduce_mean', 'reduce_sum' and 'reduce_max' take an axis"
_KEYS_OF_ALL_OPS = {"name", "from", "when"}

_RECURRENT_OP = re.compile(r"(conv|s)?(gru|lstm|rnn|simplernn)(cell|d)?")


_FUNCTIONS = {
    "ceiling": "ceil", "int": "floor", "length": "len", "make_divisible": "divisible", "size": "len", "trunc": "floor",
}  # fmt: skip
"""Functions by their names elsewhere."""

_INPUT_SIZES = {
    **dict.fromkeys(
        ("c_in", "channels_in", "in_channels", "in_features", "in_planes", "inplanes"), "write in.channels"),
    **dict.fromkeys(("batch", "batch_size"), "sizes are without the batch axis: leave it out"),
    **dict.fromkeys(
        ("input", "prev", "x"), "write in.channels, in.shape or in.spatial for the sizes of what the item reads"),
}  # fmt: skip
"""Help for names of the sizes of the input."""

_VALUES_ELSEWHERE = frozenset(("inputs", "input", "prev", "self", "x"))

_ITERATION_NUMBERS = frozenset(("i", "j", "k", "idx", "index"))
"""Common names of an iteration number."""


def with_space(word: str) -> str | None:
    """The help for a word that lacks the space after its colon, so that YAML reads it as text."""
    name, _, value = word.partition(":")
    if not (value and name.isidentifier()) or value.startswith("//"):
        return None
    help = f"put a space after the colon: {name}: {value if value.isalnum() else '...'}"
    return Replacement.of(help, word, f"{name}: {value}")


def op_help(word: str, known: Iterable[str], *, of_axes: bool = False) -> str | None:
    """The help for an unknown op: its name here, a block of the zoo, or the nearest known name.

    `of_axes` is whether its value is a number or a list of numbers, as of a reduction.
    """
    known = list(known)
    if (call := _CALL.match(word)) and call[1] in known:
        return f"write attributes after a colon: - {call[1]}: ..."
    letters = re.sub(r"[-._]", "", word.lower().removeprefix("torch.").removeprefix("nn."))
    if letters.endswith("loss"):
        return _LOSS
    if letters not in _OPS and letters not in known and _RECURRENT_OP.fullmatch(letters):
        return _NO_CELL
    for name in (letters, re.sub(r"[1-3]d$", "", letters)):
        if name in _OPS_INSTEAD:
            return _OPS_INSTEAD[name]
        if name == "sum" and of_axes:
            return "use 'reduce_sum'"
        if name in _OPS:
            op = _OPS[name]
            same = op.isidentifier() and name not in _SIMILAR
            return Replacement.of(f"use '{op}'", word, op) if same else f"use '{op}'"
        if name in _BLOCKS:
            block, file = _BLOCKS[name]
            return f"the zoo has a block for this: add import: blocks/{file}.yaml, and use '{block}'"
    families = [family for family in _FAMILIES if fnmatchcase(letters, f"{family}*")]
    if families:
        file = _FAMILIES[max(families, key=len)]
        return f"if you mean a network of the zoo, add import: {file}.yaml; `archspec list` has its variants"
    return with_space(word) or did_you_mean(word, known)


def call_help(word: str, known: Iterable[str]) -> str | None:
    """The help for an argument that a block or a network does not have, where `known` are those it has."""
    if word in _LAST_LAYERS:
        return Replacement.of("use 'until'", word, "until")
    return _OF_CALLS.get(word) or did_you_mean(word, known)


_LAST_LAYERS = frozenset(
    (
        "cut",
        "cut_at",
        "end",
        "end_at",
        "last",
        "last_layer",
        "output_layer",
        "stop",
        "stop_at",
        "truncate",
        "up_to",
        "upto",
    )
)
"""Names for the last layer of a network that is used as a part."""

_INNER_LAYERS = "inner layers can be read where they are needed, by their names, as in from: encoder.layer1"

_OF_CALLS = {
    **dict.fromkeys(
        ("feature_layers", "features", "features_only", "hooks", "out_features", "out_indices", "return_layers",
         "return_nodes", "taps"), _INNER_LAYERS),
    **dict.fromkeys(
        ("checkpoint", "pretrained", "weights"), "weights are given when the network is compiled: --weights FILE"),
    **dict.fromkeys(
        ("fc", "head", "include_top", "no_top", "top"),
        "a network is cut by the name of the last layer that is needed, as in until: layer4"),
    **dict.fromkeys(("freeze", "frozen", "frozen_stages"), "write trainable: false"),
    "variant": "call the variant by its name: - resnet34: {...}",
}  # fmt: skip
"""Help for arguments that other libraries have for networks that are parts of others."""


def keyword_help(word: str, keywords: Container[str]) -> str | None:
    """The help for a word in place of a keyword of an attribute: a mode of padding is an attribute, or an op."""
    if "causal" in keywords and word in ("reflect", "replicate", "circular"):
        return f"write how many rows, and what they are: padding: ..., padding_mode: {word}"
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
        return Replacement.of(f"use '{meant}'", word, meant)
    if word == "in" and "over" in names:
        return Replacement.of("use 'over'", word, "over")
    if word == "shape" and "axes" in names:
        return _NORMALIZED
    if word in _AXES and set(names) == _KEYS_OF_ALL_OPS:
        return _REDUCED
    return _INSTEAD.get(word) or with_space(word) or did_you_mean(word, names)


def function_help(word: str, known: Iterable[str]) -> str | None:
    """The help for an unknown function."""
    function = _FUNCTIONS.get(word)
    return Replacement.of(f"use '{function}'", word, function) if function else did_you_mean(word, known)


def name_help(word: str, known: Iterable[str]) -> str | None:
    """The help for an unknown name in an expression."""
    names = list(known)
    if word in _ITERATION_NUMBERS and nearest(word, names) is None:
        return f"name the iteration number in the 'repeat': index: {word}"
    if nearest(word, names) is None and word.lower() in _INPUT_SIZES:
        return _INPUT_SIZES[word.lower()]
    return did_you_mean(word, names)


def attribute_help(word: str, attribute: str, known: Iterable[str], attributes: Container[str]) -> str | None:
    """The help for `word.attribute` in an expression, where only `in` has attributes, and `known` are functions."""
    if word in _VALUES_ELSEWHERE and attribute in attributes:
        return f"write in.{attribute}"
    if attribute in known:
        return f"write {attribute}(...)"
    return f"write {attribute}" if word in ("args", "cfg", "config", "params", "self") else None
