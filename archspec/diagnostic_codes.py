"""The codes of diagnostics: their severity and meaning. The reference page of errors is generated from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]


class Code(NamedTuple):
    """The severity of a code and its description."""

    severity: Severity
    doc: str


def _error(doc: str) -> Code:
    return Code("error", doc)


def _warning(doc: str) -> Code:
    return Code("warning", doc)


CODES: Mapping[str, Code] = {
    # the file
    "unreadable-file": _error("The file cannot be opened."),
    "unwritable-file": _error("The file cannot be written. Nothing is left half-written."),
    "not-utf8": _error("The file is not text in UTF-8."),
    "bad-character": _error("The file contains a control character."),
    "yaml-syntax": _error("The text is not YAML."),
    "yaml-tag": _error("The file contains a tag (`!!python/name`, `!custom`); types follow from the values alone."),
    "merge-key": _error("The file contains a merge key (`<<`); use blocks for what repeats."),
    "bad-alias": _error("An alias has no anchor above it, or refers to itself."),
    "duplicate-key": _error("A key is written twice in one mapping."),
    "non-text-key": _error("A key is a number, a list or a mapping."),
    "several-documents": _error("The file holds more than one YAML document."),
    "empty-spec": _error("The file is empty."),
    "too-deep": _error("Lists and mappings are nested too deep."),
    "too-large": _error("The file, the network or one of its tensors is larger than the compiler allows."),
    # the language
    "wrong-version": _error("The spec is written for another version of the language."),
    "wrong-type": _error("A value of another type is expected here: a list, a mapping, text, true or false."),
    "wrong-value": _error("The value has the right type but is not allowed here."),
    "unknown-key": _error("There is no such key here."),
    "missing-key": _error("A required key is missing."),
    "unknown-op": _error("There is no op, block or structure of that name."),
    "missing-attribute": _error("A required attribute of an op is missing."),
    "bad-name": _error("The text is not a valid name."),
    "name-taken": _error("The name is reserved by the language."),
    "duplicate-name": _error("Two layers, arguments or outputs have the same name."),
    "unknown-import": _error("The imported file was not found in any import folder."),
    "wrong-import": _error(
        "The file cannot be imported: it is outside the import folders, or is neither a spec nor a file of blocks."
    ),
    "import-cycle": _error("Files import one another in a cycle."),
    "wrong-rename": _error("A rule of `rename` changes nothing, or never applies, or gives two weights the same name."),
    "wrong-plugin": _error("A plugin cannot be imported, or its `OPS` are not op classes, or their names are taken."),
    "unknown-initializer": _error("There is no initializer of that name."),
    "unknown-weight": _error("The op has no weight of that name."),
    "unknown-variant": _error("The spec has no variant of that name."),
    "unknown-param": _error("The spec has no param of that name."),
    "unknown-spec": _error("There is no file and no network in the zoo of that name."),
    "bad-expression": _error("An expression cannot be read, or its operands have the wrong types."),
    "unknown-name": _error("An expression names something that is not defined there."),
    "unknown-argument": _error("A block is called with an argument or an input it does not take."),
    "missing-argument": _error("A block is called without an argument or an input it needs."),
    "wrong-arguments": _error("A block is called with one value, but does not take exactly one argument."),
    "endless-recursion": _error("A block calls itself without end, or structures are nested too deep."),
    # the graph
    "unknown-layer": _error("There is no layer of that name before this one."),
    "cycle": _error("Layers depend on one another's values in a cycle."),
    "wrong-arity": _error("An op or a block gets the wrong number of inputs."),
    "training-only": _error("A layer or output that runs always depends on a layer that runs only during training."),
    "wrong-share": _error("A layer shares the weights of a layer that has none, or has different ones."),
    "shape-mismatch": _error("The shapes of joined values do not match."),
    "kernel-too-large": _error("A kernel is larger than its padded input."),
    "indivisible-channels": _error("The channels cannot be divided into that many groups."),
    "bad-padding": _error("The padding is not valid for this kernel or input."),
    "bad-output-padding": _error("The output padding is not smaller than the stride or the dilation."),
    "even-window": _error("A window over channels has no middle."),
    "wrong-rank": _error("An input has the wrong number of axes, or a list does not have one entry per axis."),
    "wrong-axis": _error("The value has no such axis, or it is the batch axis."),
    "wrong-index": _error("An index is out of range for the axis."),
    "wrong-size": _error("The requested sizes do not match the input."),
    "nothing-to-normalize": _error("A normalization is over a single number, which makes it constant."),
    "wrong-dtype": _error("The op needs another element type."),
    "wrong-attributes": _error("The attributes of an op contradict one another."),
    "wrong-input": _error("An input given on the command line or to `load` does not match the spec."),
    "expectation-failed": _error("The network does not match the `expect` of the spec."),
    "invalid-graph": _error("A graph is invalid: an error in code that builds or transforms graphs, not in a spec."),
    # the targets
    "wrong-target": _error("Files with that suffix cannot be written."),
    "unsupported": _error("The target does not support something in the spec."),
    "wrong-weights": _error("The given weights do not match the network."),
    "wrong-device": _error("PyTorch has no device of that name on this machine."),
    "wrong-numbers": _error("A written file does not compute what the network computes. It is removed."),
    "missing-library": _error("A library that the target needs is not installed, or is too old."),
    # warnings
    "batch-axis": _warning("The shape of an input seems to include the batch axis, which it must not."),
    "channels-last": _warning("The shape of an input seems to have its channels last; they come first."),
    "reserved-name": _warning("A layer has a name that PyTorch or `torch.export` does not accept; other targets do."),
    "unequal-share": _warning(
        "A layer shares the weights of a layer with other attributes: Keras cannot express that, PyTorch and ONNX can."
    ),
    "bias-before-norm": _warning("A bias is added just before a normalization, which removes it."),
    "stride-over-kernel": _warning("The stride is larger than the kernel, so some of the input is never read."),
    "unread-rows": _warning("The stride leaves rows at the end of the input that the pooling never reads."),
    "even-same": _warning("`same` with an even kernel pads one more row after the input than before it."),
    "uneven-upsampling": _warning(
        "The stride of a transposed convolution does not divide its kernel: neighbouring outputs are computed from "
        "different numbers of inputs, which causes checkerboard artifacts."
    ),
    "rounded-crop": _warning(
        "`align` crops a path to the size of another one that strides have rounded down, so the output is smaller than "
        "its input."
    ),
    "uneven-crop": _warning("`align` crops a path by one more row on one side than on the other."),
    "saturating-activations": _warning("Many sigmoid or tanh layers follow one another, so gradients vanish."),
    "heavy-layer": _warning("One layer holds most of the network's parameters."),
    "misaligned-paths": _warning("Joined paths have receptive fields with different centres."),
    "linear-over-maps": _warning("A linear layer reads feature maps: it is applied to their last spatial axis only."),
    "attention-over-maps": _warning("Attention reads feature maps, whose positions are not along one axis."),
    "constant-output": _warning("A softmax or a normalization is over a single number: its output is constant."),
    "inverted-momentum": _warning(
        "The momentum of a batch normalization is above a half; here it is the share of the new batch, as in PyTorch."
    ),
    "norm-of-one-position": _warning(
        "A batch normalization is over maps of one position, so training fails with batches of one sample."
    ),
    "batch-in-reshape": _warning("The first size of a `reshape`, -1, resolves to 1: it seems to be the batch axis."),
    "unused-layer": _warning("The output of the layer is never used."),
    "unused-input": _warning("No layer reads the input of the network or of a block."),
    "join-of-one": _warning("A join gets a single value, so it changes nothing."),
    "broadcast-residual": _warning(
        "The layers of a residual end in one channel, which is added to each channel of the shortcut."
    ),
    "unused-argument": _warning("A block never uses one of its arguments, so a value given for it changes nothing."),
    "unused-variable": _warning("The layers of a repeat never use what each iteration sets."),
    "unused-param": _warning("No layer uses the param, so its value changes nothing."),
    "unused-block": _warning("The block is never called."),
    "unused-import": _warning("No block of the imported file is called."),
    "unnumbered-structure": _warning(
        "A structure without a name is among layers that `naming: index` numbers: its layers are numbered in its place."
    ),
}
"""All codes, in the order of the stages that report them."""

WARNINGS = tuple(code for code, about in CODES.items() if about.severity == "warning")
"""The codes of warnings, which can be suppressed."""
