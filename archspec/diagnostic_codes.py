"""The codes of diagnostics: how severe each is, and what it means. The reference page of errors is made from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]


class Code(NamedTuple):
    """What a code stands for."""

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
    "bad-character": _error("A control character stands in the file."),
    "yaml-syntax": _error("The text is not YAML."),
    "yaml-tag": _error("A tag (`!!python/name`, `!custom`) stands in the file; values mean what they look like."),
    "merge-key": _error("A merge key (`<<`) stands in the file; blocks are for what repeats."),
    "bad-alias": _error("An alias repeats what no anchor above it marks, or what it stands in."),
    "duplicate-key": _error("A key is written twice in one mapping."),
    "non-text-key": _error("A key is a number, a list or a mapping."),
    "several-documents": _error("The file holds more than one YAML document."),
    "empty-spec": _error("The file is empty."),
    "too-deep": _error("Lists and mappings are nested too deep."),
    "too-large": _error("The file, the network or one of its tensors is larger than the compiler takes on."),
    # the language
    "wrong-version": _error("The spec is written for another version of the language."),
    "wrong-type": _error("Something of another kind is expected here: a list, a mapping, a text, true or false."),
    "wrong-value": _error("The value is of the right kind, but not one that can stand here."),
    "unknown-key": _error("There is no such key here."),
    "missing-key": _error("A key that must be written is missing."),
    "unknown-op": _error("There is no op, block or structure of that name."),
    "missing-attribute": _error("An op lacks an attribute it cannot do without."),
    "bad-name": _error("The text cannot be a name."),
    "name-taken": _error("The name belongs to the language."),
    "duplicate-name": _error("Two neighbours have one name: layers, arguments, outputs."),
    "unknown-import": _error("No folder that imports come from has a file of that name."),
    "wrong-import": _error("The file cannot be imported: it lies outside those folders, or is no file of blocks."),
    "import-cycle": _error("Files import one another in a ring."),
    "wrong-rename": _error("A rule of `rename` changes nothing, or never applies, or gives two weights one name."),
    "wrong-plugin": _error("A plugin cannot be imported, or what it lists are no ops, or ops by names that are taken."),
    "unknown-initializer": _error("There is no initializer of that name."),
    "unknown-weight": _error("The op has no weight of that name."),
    "unknown-variant": _error("The spec has no variant of that name."),
    "unknown-param": _error("The spec has no param of that name."),
    "unknown-spec": _error("There is no file and no network in the zoo of that name."),
    "bad-expression": _error("An expression cannot be read, or its operands make no sense together."),
    "unknown-name": _error("An expression names something that is not defined there."),
    "unknown-argument": _error("A block is called with an argument it does not take."),
    "missing-argument": _error("A block is called without an argument it needs."),
    "wrong-arguments": _error("A block is called with one value, but does not take one argument."),
    "endless-recursion": _error("A block calls itself without end, or structures are nested too deep."),
    # the graph
    "unknown-layer": _error("There is no layer of that name to refer to, or none before this one."),
    "cycle": _error("Layers need one another's values: each waits for the other."),
    "wrong-arity": _error("An op takes another number of values than flow in."),
    "training-only": _error("What runs always needs what runs only while training, or nothing else is returned."),
    "wrong-share": _error("A layer shares the weights of one that has none, or others."),
    "shape-mismatch": _error("Values that are joined do not fit one another."),
    "kernel-too-large": _error("A kernel is larger than what it slides over."),
    "indivisible-channels": _error("Channels cannot be split into so many equal groups."),
    "bad-padding": _error("The padding makes no sense with this kernel or input."),
    "bad-output-padding": _error("The output padding is not smaller than the stride or the dilation."),
    "even-window": _error("A window over channels has no middle."),
    "wrong-rank": _error("A value has too many axes for the op, or too few; or a list has not one entry an axis."),
    "wrong-axis": _error("The value has no such axis, or it is the batch axis."),
    "wrong-index": _error("An entry is asked for that the axis does not have."),
    "wrong-size": _error("The sizes asked for cannot be made of the input."),
    "nothing-to-normalize": _error("A normalization is over single numbers, which leaves nothing of them."),
    "wrong-dtype": _error("The op computes with another type of element."),
    "wrong-attributes": _error("The attributes of an op contradict one another."),
    "wrong-input": _error("An input given on the command line or to `load` does not fit the spec."),
    "expectation-failed": _error("The network is not what the spec says must come out."),
    "invalid-graph": _error("A graph is invalid: an error in code that builds or transforms graphs, not in a spec."),
    # the targets
    "wrong-target": _error("There is no way to write a file with that ending."),
    "unsupported": _error("A target cannot express what the spec asks for."),
    "wrong-weights": _error("The weights given do not fit the network."),
    "wrong-device": _error("PyTorch has no device of that name on this machine."),
    "wrong-numbers": _error("A file that was written does not compute what the network does. It is not kept."),
    "missing-library": _error("A library that the target needs is not installed."),
    # advice
    "batch-axis": _warning("An input looks as if the batch axis stood among its sizes, which are without it."),
    "channels-last": _warning("An input looks as if its channels stood last among its sizes, where they come first."),
    "reserved-name": _warning("A layer has a name that no part of a PyTorch module can have; other targets can do."),
    "bias-before-norm": _warning("A bias is added just before a normalization, which takes it away again."),
    "stride-over-kernel": _warning("The stride is larger than the kernel, and no layer reads what it steps over."),
    "unread-rows": _warning("The stride leaves rows at the end of the input that the pooling never reads."),
    "even-same": _warning("`same` with an even kernel pads one row more after the input than before it."),
    "uneven-upsampling": _warning(
        "The stride of a transposed convolution does not divide its kernel: neighbouring outputs are made of unequal "
        "numbers of inputs, which shows as a checkerboard."
    ),
    "saturating-activations": _warning("Sigmoid or tanh layers stand in a row of many, where their gradients vanish."),
    "heavy-layer": _warning("One layer holds most of the network's parameters."),
    "misaligned-paths": _warning("Paths of a join look at different places: their fields have other centres."),
    "linear-over-maps": _warning("A linear layer reads feature maps: it works along their last spatial axis alone."),
    "constant-output": _warning(
        "A softmax or a normalization is over single numbers: what it gives is always the same."
    ),
    "unused-layer": _warning("Nothing reads what the layer makes, and it is no output."),
}
"""Every code, by the stage that finds it."""

WARNINGS = tuple(code for code, about in CODES.items() if about.severity == "warning")
"""The codes of advice, which can be silenced."""
