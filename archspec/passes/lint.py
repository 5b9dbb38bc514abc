"""Advice: what is no mistake, but seldom meant. Each rule looks at a sound graph and gives warnings with a code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import prod

from archspec.diagnostics import Diagnostic
from archspec.ir.graph import Node, Value
from archspec.ir.window import Window
from archspec.ops.activation import Activation, Dropout, LogSoftmax, Sigmoid, Softmax, Tanh
from archspec.ops.conv import Conv, ConvTranspose
from archspec.ops.geometry import extent, unread
from archspec.ops.linear import Linear
from archspec.ops.merge import Join
from archspec.ops.norm import BatchNorm, LayerNorm
from archspec.ops.pool import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from archspec.passes.facts import Facts

HEAVY = Fraction(1, 2)
"""The share of all parameters from which one layer is worth a remark."""

SATURATING = 8
"""Sigmoid and tanh layers behind one another from which gradients are in danger."""


def advice(facts: Facts) -> Iterator[Diagnostic]:
    """All warnings about a graph, rule by rule."""
    for rule in _RULES:
        yield from rule(facts)


def _bias_before_norm(facts: Facts) -> Iterator[Diagnostic]:
    readers = Counter(value for node in facts.graph.nodes for value in node.inputs)
    makers = {value: node for node in facts.graph.nodes for value in node.outputs}
    for node in facts.graph.nodes:
        maker = makers.get(node.inputs[0]) if isinstance(node.op, BatchNorm) else None
        if maker is None or readers[node.inputs[0]] > 1:
            continue
        if isinstance(maker.op, Conv | ConvTranspose | Linear) and maker.op.bias:
            yield _warning(
                "bias-before-norm",
                f"the bias of '{maker.name}' is taken away again by '{node.name}'",
                maker,
                help="write bias: false",
            )


def _stride_over_kernel(facts: Facts) -> Iterator[Diagnostic]:
    steps = {node: _first_step_over(node) for node in facts.graph.nodes}
    whole = {value for node, over in steps.items() if over is None for value in node.inputs}
    whole.update(output.value for output in facts.graph.outputs)
    for node, over in steps.items():
        # what a shortcut steps over, the layers beside it read
        if over is not None and node.inputs[0] not in whole:
            span, stride = over
            message = f"'{node.name}' steps {stride} with a kernel that spans {span}"
            help = f"{stride - span} of every {stride} positions are never read"
            yield _warning("stride-over-kernel", message, node, help=help)


def _first_step_over(node: Node) -> tuple[int, int] | None:
    """The span and the stride of a window along the first axis where the stride is larger, if there is one."""
    if not isinstance(node.op, Conv | MaxPool | AvgPool):
        return None
    axes = node.op.sliding(node.inputs[0].type).axes
    spans = ((extent(kernel, dilation), stride) for kernel, stride, dilation, _ in axes)
    return next(((span, stride) for span, stride in spans if stride > span), None)


def _unread_rows(facts: Facts) -> Iterator[Diagnostic]:
    for node in facts.graph.nodes:
        if not isinstance(node.op, MaxPool | AvgPool):
            continue
        sizes, counts = node.inputs[0].type.spatial, node.outputs[0].type.spatial
        window = node.op.sliding(node.inputs[0].type)
        left = [unread(n, *axis, m) for n, m, axis in zip(sizes, counts, window.axes, strict=True)]
        skips = any(stride > extent(kernel, dilation) for kernel, stride, dilation, _ in window.axes)
        if any(left) and not skips:
            yield _warning(
                "unread-rows",
                f"'{node.name}' never reads the last {max(left)} of {sizes[left.index(max(left))]} rows",
                node,
                help="pad, round up with ceil: true, or choose an input whose size fits",
            )


def _even_same(facts: Facts) -> Iterator[Diagnostic]:
    for node in facts.graph.nodes:
        if isinstance(node.op, Conv | MaxPool | AvgPool) and node.op.padding == "same":
            window = node.op.sliding(node.inputs[0].type)
            uneven = [kernel for kernel, stride, _, pads in window.axes if pads[0] != pads[1] and stride == 1]
            if uneven:
                message = f"'same' pads '{node.name}' with its kernel of {uneven[0]} more after the input than before"
                yield _warning("even-same", message, node, help="an odd kernel has a middle")


def _uneven_upsampling(facts: Facts) -> Iterator[Diagnostic]:
    for node in facts.graph.nodes:
        if isinstance(node.op, ConvTranspose):
            for kernel, stride, _, _ in node.op.sliding(node.inputs[0].type).axes:
                if kernel % stride:
                    message = f"the stride {stride} of '{node.name}' does not divide its kernel {kernel}"
                    help = f"a kernel of {stride * max(1, round(kernel / stride))} makes no checkerboard"
                    yield _warning("uneven-upsampling", message, node, help=help)
                    break


def _saturating_activations(facts: Facts) -> Iterator[Diagnostic]:
    behind: dict[Value, int] = {}
    for node in facts.graph.nodes:
        before = min((behind.get(value, 0) for value in node.inputs), default=0)  # gradients take the open path
        count = before + isinstance(node.op, Sigmoid | Tanh)
        behind.update(dict.fromkeys(node.outputs, count))
        if count == SATURATING and before < SATURATING:
            message = f"'{node.name}' is sigmoid or tanh number {SATURATING} in a row of layers"
            help = "gradients shrink through each; relu and its kin do not saturate"
            yield _warning("saturating-activations", message, node, help=help)


def _heavy_layer(facts: Facts) -> Iterator[Diagnostic]:
    for node, cost in facts.costs.items():
        if len(facts.graph.nodes) > 4 and cost.params > HEAVY * facts.total.params:
            share = round(100 * cost.params / facts.total.params)
            message = f"'{node.name}' holds {share} % of the network's parameters: {cost.params:,}"
            yield _warning("heavy-layer", message, node)


def _misaligned_paths(facts: Facts) -> Iterator[Diagnostic]:
    for node in facts.graph.nodes:
        if isinstance(node.op, Join):
            fields = [facts.fields[value] for value in node.inputs if value in facts.fields]
            for axis in zip(*(field.windows for field in fields), strict=True):
                centres = {_centre(window) for window in axis if window and len(window.reaches) == 1}
                if len(centres) > 1:
                    low, high = min(centres), max(centres)
                    message = f"the paths joined by '{node.name}' look {float(high - low):g} input positions apart"
                    yield _warning("misaligned-paths", message, node, help="pad or crop them alike on both sides")
                    break


def _linear_over_maps(facts: Facts) -> Iterator[Diagnostic]:
    maps: set[Value] = set()
    for node in facts.graph.nodes:
        (value, *_) = node.inputs
        keeps = isinstance(node.op, Activation | BatchNorm | Dropout) and value in maps
        if keeps or isinstance(node.op, _MAKES_MAPS):
            maps.update(node.outputs)
        elif isinstance(node.op, Linear) and value in maps:
            message = f"'{node.name}' reads maps of {value.type} and works along their last axis alone"
            yield _warning("linear-over-maps", message, node, help="`flatten` before it makes one row of all of them")


_MAKES_MAPS = (Conv, ConvTranspose, MaxPool, AvgPool, GlobalAvgPool, GlobalMaxPool, AdaptiveAvgPool, AdaptiveMaxPool)


def _constant_output(facts: Facts) -> Iterator[Diagnostic]:
    for node in facts.graph.nodes:
        (tensor, *_) = node.input_types
        if isinstance(node.op, LayerNorm) and prod(node.op.normalized(tensor)) == 1:
            left = "its bias" if node.op.affine else "zero"
            message = f"'{node.name}' normalizes single numbers, and always gives {left}"
            yield _warning("constant-output", message, node, help="leave it out, or normalize over more")
        elif isinstance(node.op, Softmax | LogSoftmax) and tensor.sizes[node.op.place(tensor) - 1] == 1:
            always = 1 if isinstance(node.op, Softmax) else 0
            message = f"'{node.name}' compares one number with no other, and always gives {always}"
            yield _warning("constant-output", message, node, help="sigmoid makes a probability of a single number")


def _unused_layer(facts: Facts) -> Iterator[Diagnostic]:
    graph = facts.graph
    needed: set[Value] = {output.value for output in graph.outputs}
    for node in reversed(graph.nodes):
        if not needed.isdisjoint(node.outputs):
            needed.update(node.inputs)
    for node in graph.nodes:
        if needed.isdisjoint(node.outputs):
            message = f"nothing needs what '{node.name}' makes"
            yield _warning("unused-layer", message, node, help="name it among the outputs, or remove it")


_RULES: tuple[Callable[[Facts], Iterator[Diagnostic]], ...] = (
    _bias_before_norm,
    _stride_over_kernel,
    _unread_rows,
    _even_same,
    _uneven_upsampling,
    _saturating_activations,
    _heavy_layer,
    _misaligned_paths,
    _linear_over_maps,
    _constant_output,
    _unused_layer,
)


def _centre(window: Window) -> Fraction:
    """The middle of what output position 0 sees."""
    return window.offset + Fraction(window.size - 1, 2)


def _warning(code: str, message: str, node: Node, *, help: str | None = None) -> Diagnostic:
    return Diagnostic(code, message, node.span, (), help)
