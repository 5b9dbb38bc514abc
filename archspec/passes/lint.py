"""Warnings about a graph: what is valid but rarely intended.

A rule is a function from the facts of a valid graph to warnings, registered with `@rule`; its codes are in
`archspec/diagnostic_codes.py`. Rules run in the order they are defined.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import prod

from archspec.diagnostics import Diagnostic
from archspec.ir.graph import Graph, Node, Scope, Value
from archspec.ir.window import Window
from archspec.ops.activation import Activation, LogSoftmax, Sigmoid, Softmax, Tanh
from archspec.ops.attention import MultiHeadAttention, positions_help
from archspec.ops.conv import Conv, ConvTranspose
from archspec.ops.dropout import Dropout
from archspec.ops.geometry import extent, unread
from archspec.ops.linear import Linear
from archspec.ops.merge import Join
from archspec.ops.norm import BatchNorm, LayerNorm
from archspec.ops.pool import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from archspec.ops.reshape import Reshape
from archspec.ops.spatial import AlignCrop
from archspec.passes.facts import Facts
from archspec.passes.rounding import unrounded

HEAVY = Fraction(1, 2)
"""The share of all parameters above which one layer gets a warning."""

SATURATING = 8
"""The number of sigmoid and tanh layers on a path from which gradients vanish."""


Rule = Callable[[Facts], Iterator[Diagnostic]]

_RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    """Register a rule."""
    _RULES.append(function)
    return function


def lint(facts: Facts) -> Iterator[Diagnostic]:
    """All warnings about a graph, rule by rule."""
    for check in _RULES:
        yield from check(facts)


@rule
def _bias_before_norm(facts: Facts) -> Iterator[Diagnostic]:
    readers = Counter(value for node in facts.graph.nodes for value in node.inputs)
    sources = {value: node for node in facts.graph.nodes for value in node.outputs}
    for node in facts.graph.nodes:
        source = sources.get(node.inputs[0]) if isinstance(node.op, BatchNorm) else None
        if source is None or readers[node.inputs[0]] > 1:
            continue
        if isinstance(source.op, Conv | ConvTranspose | Linear) and source.op.bias:
            message = f"the bias of '{source.name}' has no effect: '{node.name}' subtracts it"
            yield _warning("bias-before-norm", message, source, help="write bias: false")


@rule
def _stride_over_kernel(facts: Facts) -> Iterator[Diagnostic]:
    skips = {node: _skipping_axis(node) for node in facts.graph.nodes}
    # The layers beside a strided shortcut read the positions that it skips.
    read_whole = {value for node, skip in skips.items() if skip is None for value in node.inputs}
    read_whole.update(output.value for output in facts.graph.outputs)
    for node, skip in skips.items():
        if skip is not None and node.inputs[0] not in read_whole:
            span, stride = skip
            message = f"the stride of '{node.name}' is {stride}, larger than its window of {span}"
            help = f"{stride - span} of every {stride} positions are never read"
            yield _warning("stride-over-kernel", message, node, help=help)


def _skipping_axis(node: Node) -> tuple[int, int] | None:
    """The span and the stride of a window on the first axis where the stride is larger; None where there is none."""
    if not isinstance(node.op, Conv | MaxPool | AvgPool):
        return None
    axes = node.op.sliding(node.inputs[0].type).axes
    spans = ((extent(kernel, dilation), stride) for kernel, stride, dilation, _ in axes)
    return next(((span, stride) for span, stride in spans if stride > span), None)


@rule
def _unread_rows(facts: Facts) -> Iterator[Diagnostic]:
    for node in facts.graph.nodes:
        if not isinstance(node.op, MaxPool | AvgPool):
            continue
        sizes, counts = node.inputs[0].type.spatial, node.outputs[0].type.spatial
        window = node.op.sliding(node.inputs[0].type)
        rows = [unread(n, *axis, m) for n, m, axis in zip(sizes, counts, window.axes, strict=True)]
        skips = any(stride > extent(kernel, dilation) for kernel, stride, dilation, _ in window.axes)
        if any(rows) and not skips:
            message = f"'{node.name}' never reads the last {max(rows)} of {sizes[rows.index(max(rows))]} rows"
            help = "add padding, round up with ceil: true, or choose an input size that fits"
            yield _warning("unread-rows", message, node, help=help)


@rule
def _even_same(facts: Facts) -> Iterator[Diagnostic]:
    for node in facts.graph.nodes:
        if isinstance(node.op, Conv | MaxPool | AvgPool) and node.op.padding == "same":
            window = node.op.sliding(node.inputs[0].type)
            uneven = [kernel for kernel, stride, _, pads in window.axes if pads[0] != pads[1] and stride == 1]
            if uneven:
                message = (
                    f"padding 'same' of '{node.name}' is larger after the input than before: its kernel is {uneven[0]}"
                )
                yield _warning("even-same", message, node, help="use an odd kernel")


@rule
def _uneven_upsampling(facts: Facts) -> Iterator[Diagnostic]:
    for node in facts.graph.nodes:
        if isinstance(node.op, ConvTranspose):
            for kernel, stride, _, _ in node.op.sliding(node.inputs[0].type).axes:
                if kernel % stride:
                    message = f"the kernel of '{node.name}', {kernel}, is not a multiple of its stride, {stride}"
                    help = f"a kernel of {stride * max(1, round(kernel / stride))} avoids checkerboard artifacts"
                    yield _warning("uneven-upsampling", message, node, help=help)
                    break


@rule
def _saturating_activations(facts: Facts) -> Iterator[Diagnostic]:
    counts: dict[Value, int] = {}
    for node in facts.graph.nodes:
        before = min((counts.get(value, 0) for value in node.inputs), default=0)  # gradients pass on the best path
        count = before + isinstance(node.op, Sigmoid | Tanh)
        counts.update(dict.fromkeys(node.outputs, count))
        if count == SATURATING and before < SATURATING:
            message = f"'{node.name}' comes after {SATURATING - 1} other sigmoid or tanh layers"
            help = "gradients shrink in each of them; relu and similar activations do not saturate"
            yield _warning("saturating-activations", message, node, help=help)


@rule
def _heavy_layer(facts: Facts) -> Iterator[Diagnostic]:
    for node, cost in facts.costs.items():
        if len(facts.graph.nodes) > 4 and cost.params > HEAVY * facts.total.params:
            share = round(100 * cost.params / facts.total.params)
            message = f"'{node.name}' has {share} % of the network's parameters: {cost.params:,}"
            yield _warning("heavy-layer", message, node)


@rule
def _misaligned_paths(facts: Facts) -> Iterator[Diagnostic]:
    if len(facts.field_inputs) < len(facts.graph.inputs):
        return
    for node in facts.graph.nodes:
        if isinstance(node.op, Join) and (distance := _distance(node, facts)):
            message = f"the paths joined by '{node.name}' are {float(distance):g} input positions apart"
            yield _warning("misaligned-paths", message, node, help="pad or crop them symmetrically")


def _distance(node: Node, facts: Facts) -> Fraction:
    """How far apart the centres of the joined paths are, along the first axis where they differ; 0 if along none."""
    for fields in facts.input_fields.values():
        for axis in zip(*(fields[value].windows for value in node.inputs if value in fields), strict=True):
            centres = {_centre(window) for window in axis if window and len(window.reaches) == 1}
            if len(centres) > 1:
                return max(centres) - min(centres)
    return Fraction(0)


@rule
def _linear_over_maps(facts: Facts) -> Iterator[Diagnostic]:
    maps: set[Value] = set()
    for node in facts.graph.nodes:
        (value, *_) = node.inputs
        keeps = isinstance(node.op, Activation | BatchNorm | Dropout) and value in maps
        if keeps or isinstance(node.op, _OUTPUTS_MAPS):
            maps.update(node.outputs)
        elif isinstance(node.op, Linear) and value in maps:
            message = f"'{node.name}' is applied to the last axis only of feature maps of shape {value.type}"
            yield _warning("linear-over-maps", message, node, help="put `flatten` before it to use all of their axes")
        elif isinstance(node.op, MultiHeadAttention) and value in maps:
            message = f"'{node.name}' attends within the last two axes only of feature maps of shape {value.type}"
            yield _warning("attention-over-maps", message, node, help=positions_help(value.type))


_OUTPUTS_MAPS = (Conv, ConvTranspose, MaxPool, AvgPool, GlobalAvgPool, GlobalMaxPool, AdaptiveAvgPool, AdaptiveMaxPool)


@rule
def _constant_output(facts: Facts) -> Iterator[Diagnostic]:
    for node in facts.graph.nodes:
        (tensor, *_) = node.input_types
        if isinstance(node.op, LayerNorm) and prod(node.op.normalized(tensor)) == 1:
            constant = "its bias" if node.op.affine else "zero"
            message = f"'{node.name}' normalizes single numbers, so its output is always {constant}"
            yield _warning("constant-output", message, node, help="remove it, or normalize over more axes")
        elif isinstance(node.op, Softmax | LogSoftmax) and tensor.sizes[node.op.normalized_axis(tensor) - 1] == 1:
            message = (
                f"'{node.name}' is over an axis of size 1, so its output is always {int(isinstance(node.op, Softmax))}"
            )
            yield _warning("constant-output", message, node, help="use sigmoid for a single probability")


@rule
def _keras_momentum(facts: Facts) -> Iterator[Diagnostic]:
    for node in facts.graph.nodes:
        if isinstance(node.op, BatchNorm) and node.op.momentum > Fraction(1, 2):
            share = float(f"{node.op.momentum:g}")
            message = f"the momentum of '{node.name}', {share:g}, is the share of the new batch"
            help = f"the momentum of Keras is the share of the old statistics; for that, write {1 - share:.4g}"
            yield _warning("inverted-momentum", message, node, help=help)


@rule
def _norm_of_one_position(facts: Facts) -> Iterator[Diagnostic]:
    for node in facts.graph.nodes:
        (tensor, *_) = node.input_types
        if isinstance(node.op, BatchNorm) and tensor.rank > 2 and prod(tensor.spatial) == 1:
            message = f"'{node.name}' normalizes one position per channel, so training fails with batches of one"
            help = "train with larger batches, or use `group_norm`"
            yield _warning("norm-of-one-position", message, node, help=help)


@rule
def _batch_in_reshape(facts: Facts) -> Iterator[Diagnostic]:
    for node in facts.graph.nodes:
        if isinstance(node.op, Reshape) and len(node.op.sizes) > 1 and node.op.sizes[0] == -1:
            (output,) = node.output_types
            if output.sizes[0] == 1:
                message = f"the -1 of '{node.name}' is an axis of size 1: the output is {output}"
                help = f"sizes are without the batch axis, which always stays: write {list(node.op.sizes[1:])}"
                yield _warning("batch-in-reshape", message, node, help=help)


@rule
def _unused_layer(facts: Facts) -> Iterator[Diagnostic]:
    unused = [node for node in facts.graph.nodes if node in facts.graph.unused]
    last: dict[Value, Node] = {}
    led_to: dict[Node, list[str]] = {}
    for node in reversed(unused):
        end = next((last[value] for value in node.outputs if value in last), node)
        last.update(dict.fromkeys(node.inputs, end))
        led_to.setdefault(end, []).append(node.name)
    left_out = {value for scope in facts.graph.body.scopes() for value in _left_out(scope, facts.graph)}
    for node, names in led_to.items():
        if not left_out.isdisjoint(node.outputs):
            continue
        message, help = f"the output of '{node.name}' is never used", "add it to the outputs, or remove it"
        before = ", ".join(f"'{name}'" for name in names[_SHOWN:0:-1])
        more = f" and {len(names) - 1 - _SHOWN} more" if len(names) - 1 > _SHOWN else ""
        notes = ((f"so is that of {before}{more}",),) if before else ()
        yield Diagnostic("unused-layer", message, node.span, notes, help)


def _left_out(scope: Scope, graph: Graph) -> list[Value]:
    """The outputs that a call of a block leaves unused, if it uses others of them."""
    unused = {value for node in scope.nodes() if node in graph.unused for value in node.outputs}
    left_out = [value for value in scope.outputs if value in unused] if scope.output_names else []
    return left_out if len(left_out) < len(scope.outputs) else []


_SHOWN = 3
"""The layers that a note lists."""


@rule
def _join_of_one(facts: Facts) -> Iterator[Diagnostic]:
    for node in facts.graph.nodes:
        if isinstance(node.op, Join) and node.op.returns_its_input(len(node.inputs)):
            message = f"'{node.name}' gets a single value, so it changes nothing"
            help = f"name all values that it joins: - {node.op.kind}: [prev, ...], or remove it"
            yield _warning("join-of-one", message, node, help=help)


@rule
def _crops(facts: Facts) -> Iterator[Diagnostic]:
    """What `align` crops from a path, unless it is as much on both sides and the other paths have no padding."""
    crops = {node.outputs[0]: node for node in facts.graph.nodes if isinstance(node.op, AlignCrop)}
    sizes = unrounded(facts.graph) if crops else {}
    for join in reversed(facts.graph.nodes if crops else ()):  # of the joins of a recursive block, the outermost
        for value in join.inputs:
            if value not in crops or not isinstance(join.op, Join):
                continue
            full, kept = crops[value].inputs[0].type.spatial, value.type.spatial
            lost = [axis for axis, (size, other) in enumerate(zip(full, kept, strict=True)) if size > other]
            others = [sizes[other] for other in join.inputs if other not in crops]
            cut = f"'{join.name}' crops {_written(full)} to {_written(kept)}"
            if any(other[axis] >= full[axis] for other in others for axis in lost):
                message = f"{cut}, since the strides of the other path do not divide the size of the input"
                yield _warning("rounded-crop", message, join, help="use an input size that they divide, or pad it")
            elif any((full[axis] - kept[axis]) % 2 for axis in lost):
                message = f"{cut}: one more row after the middle than before it"
                help = "the paths are half a position apart; use an input size with even differences"
                yield _warning("uneven-crop", message, join, help=help)


def _written(sizes: Sequence[int]) -> str:
    return " × ".join(map(str, sizes))


def _centre(window: Window) -> Fraction:
    """The centre of what output position 0 sees."""
    return window.offset + Fraction(window.size - 1, 2)


def _warning(code: str, message: str, node: Node, *, help: str | None = None) -> Diagnostic:
    return Diagnostic(code, message, node.span, (), help)


@rule
def _broadcast_residual(facts: Facts) -> Iterator[Diagnostic]:
    for scope in facts.graph.body.scopes():
        join = scope.items[-1] if scope.kind == "residual" and scope.items else None
        if not isinstance(join, Node) or join.op.kind not in _SUMS:
            continue
        (body, *_), (output,) = join.input_types, join.output_types
        if output.sizes and body.sizes and body.channels == 1 < output.channels:
            message = f"'{join.name}' adds the one channel of its layers to each of {output.channels} channels"
            help = f"end the layers with {output.channels} channels; as a gate, one channel is usual with join: mul"
            yield _warning("broadcast-residual", message, join, help=help)


_SUMS = ("add", "sub", "mean")
"""The joins that add one value to another."""
