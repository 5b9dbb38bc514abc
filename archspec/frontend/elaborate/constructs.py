"""How each construct of the language is built: one function per class of step, registered where it is defined.

A new construct is a step class in `language.spec` with its record in `language.structures`, a function here, and a
`ScopeKind` in `ir.graph`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from archspec.diagnostics import ArchspecError, Diagnostic, Note, fail
from archspec.frontend.elaborate import references
from archspec.frontend.elaborate.auto_names import explicit_name, names_iterations
from archspec.frontend.elaborate.block_arguments import (
    as_op_step,
    bind_arguments,
    bind_inputs,
    bind_params,
    passed_inputs,
)
from archspec.frontend.elaborate.context import BuildContext
from archspec.frontend.elaborate.cuts import Cut
from archspec.frontend.elaborate.iterations import bind_iteration, iteration_entries
from archspec.frontend.elaborate.op_initializers import OpInitializers
from archspec.frontend.elaborate.shape_mismatch import LabelledValue, crop_sizes
from archspec.frontend.elaborate.symbols import NO_PORTS, Symbol, Values
from archspec.frontend.elaborate.unpooling import unpooling_inputs
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.expressions.values import Data, Invalid
from archspec.frontend.language.spec import (
    Block,
    Body,
    BrokenStep,
    CallStep,
    Iterations,
    Library,
    OpStep,
    ParallelStep,
    RepeatStep,
    ResidualStep,
    SequentialStep,
    SideStep,
    Spec,
    Step,
)
from archspec.frontend.language.steps import op_of_package
from archspec.frozen import replace
from archspec.ir.graph import Scope, Value
from archspec.ops import Op
from archspec.ops.creation import create
from archspec.ops.merge import Join
from archspec.ops.spatial import AlignCrop
from archspec.ops.unpool import MaxUnpool

if TYPE_CHECKING:
    from archspec.frontend.elaborate.builder import Builder

BuildFunction = Callable[["Builder", Any, "str | None", Values, BuildContext], Values]
"""Builds a step with this name and these inputs in this context, and returns its outputs."""

BUILD_FUNCTIONS: dict[type[Step], BuildFunction] = {}
"""The build function of each class of step."""


def builds(step: type[Step]) -> Callable[[BuildFunction], BuildFunction]:
    """Register a function as the one that builds steps of a class."""

    def register(function: BuildFunction) -> BuildFunction:
        BUILD_FUNCTIONS[step] = function
        return function

    return register


@builds(BrokenStep)
def build_broken(builder: Builder, step: BrokenStep, name: str | None, inputs: Values, context: BuildContext) -> Values:
    """A step whose error is already reported."""
    raise Invalid


@builds(OpStep)
def build_op(builder: Builder, step: OpStep, name: str | None, inputs: Values, context: BuildContext) -> Values:
    """One node."""
    op = builder.op_of(step, inputs, context)
    if inputs is None:
        raise Invalid
    if type(op) is MaxUnpool:
        labelled = unpooling_inputs(inputs, step, context, builder.nodes)
        return builder.node(op, tuple([item.value for item in labelled]), name, step, context, labelled)
    return builder.node(op, inputs, name, step, context)


# --- calls ---


@builds(CallStep)
def build_call(builder: Builder, step: CallStep, name: str | None, inputs: Values, context: BuildContext) -> Values:
    """The layers of a block, or the node of an op whose name is computed."""
    callee = step.callee.fill(context.environment)
    registry = builder.spec.vocabulary
    if callee in registry.ops:
        return build_op(builder, _as_op_step(builder, step, registry.ops[callee]), name, inputs, context)
    definition = context.library.find(callee)
    if definition is None and context.library.complete:
        op = op_of_package(callee, context.library.names, step.span, registry)
        return build_op(builder, _as_op_step(builder, step, op), name, inputs, context)
    block, library = definition or (None, context.library)
    if block is None:
        raise Invalid
    builder.budget.count_scope(step.span, len(library.params))
    inputs = bind_inputs(step, block, inputs, partial(_input_notes, builder, step, inputs, context))
    passed = passed_inputs(step, block, inputs)
    named = {name: None if inputs is None else (inputs[i],) for i, name in enumerate(passed)}
    if library.network is not None:
        return _build_network(builder, step, name, block, library.network, inputs, named, context)
    entry = next(iter(named.values()), inputs)
    environment = {name: value for name, value in library.params.items() if name not in named}
    for_defaults = context.with_environment(environment)
    for_defaults.inputs = named
    arguments = bind_arguments(
        step,
        block,
        environment,
        _shared_arguments(builder, step, block, context),
        evaluate=lambda field: context.evaluate(field, inputs),
        evaluate_default=lambda field: for_defaults.evaluate(field, entry),
    )
    inside = builder.open_scope(step, name, context, indexed=block.indexed, environment=environment)
    builder.arguments[inside.symbols.path] = (block.span, arguments)
    _enter_block(builder, inside, block, library, step, context)
    _bind_names(inside, step, block, named)
    inside.inputs, inside.symbols.entry = named, Symbol(entry, step.span, inside.symbols.path)
    outputs, ports = _build_layers(builder, step, block, entry, inside, context)
    return builder.close_scope(
        "block", step.span, inside, inputs, outputs, context, ports=ports, trimmed=step.until is not None,
        block=callee, arguments=arguments, input_names=tuple(named) if inputs else (), output_names=tuple(ports),
    )  # fmt: skip


def _shared_arguments(builder: Builder, step: CallStep, block: Block, context: BuildContext) -> Mapping[str, Data]:
    """The arguments of the call whose weights a call shares; none if that is one of another block."""
    if step.share is None:
        return {}
    span, arguments = builder.arguments.get(references.shared_weight_owner(step.share, step, context), (None, {}))
    return arguments if span == block.span else {}


def _build_network(
    builder: Builder,
    step: CallStep,
    name: str | None,
    block: Block,
    spec: Spec,
    inputs: Values,
    named: Mapping[str, Values],
    context: BuildContext,
) -> Values:
    """The layers of a network, as far as something reads them."""
    builder.budget.count_scope(step.span, len(block.arguments))
    shared = _shared_arguments(builder, step, block, context)
    params = bind_params(step, block, spec, shared, evaluate=lambda field: context.evaluate(field, inputs))
    inside = builder.open_scope(step, name, context, environment=params)
    builder.arguments[inside.symbols.path] = (block.span, params)
    _enter_block(builder, inside, block, spec.library(params), step, context)
    inside.inputs, inside.networks = {}, (*context.networks, (block.name, step.span))
    inside.initial = OpInitializers(spec.initializers, lambda field: field.evaluate(params))
    _bind_names(inside, step, block, named)
    outputs, ports = _build_layers(builder, step, block, inputs, inside, context)
    if step.share is None:
        builder.rename += (rule.under(inside.symbols.path) for rule in spec.rename)
    if spec.allowed:
        builder.allowed[inside.symbols.path] = spec.allowed
    at_inference = outputs
    if ports and not context.training_only:
        scopes = [item for item in inside.items if isinstance(item, Scope)]
        nodes = (
            node for item in scopes for node in (item.nodes() if item.training_only else item.training_only_nodes())
        )
        training = {value for node in nodes for value in node.outputs}
        at_inference = tuple(value for value in outputs or () if value not in training) or outputs
    return builder.close_scope(
        "block", step.span, inside, inputs, outputs, context, ports=ports, primary=at_inference, trimmed=True,
        block=block.name, arguments=params, input_names=tuple(named) if inputs and len(named) > 1 else (),
        output_names=tuple(ports),
    )  # fmt: skip


def _build_layers(
    builder: Builder, step: CallStep, block: Block, entry: Values, inside: BuildContext, context: BuildContext
) -> tuple[Values, Mapping[str, Value]]:
    """The values that a call returns, also by name if the block names them."""
    if step.until is not None:
        reference = step.until.fill(context.environment)
        cut = Cut(inside.symbols, reference, step.until.span, block.name)
        cut.check()
        inside.cuts = (*inside.cuts, cut)
        builder.body(block.layers, entry, inside)
        return (None if inside.is_cut_off and not cut.reached else cut.values()), NO_PORTS
    outputs = builder.body(block.layers, entry, inside)
    return _outputs(builder, block, inside) if block.outputs and not inside.is_cut_off else (outputs, NO_PORTS)


def _input_notes(builder: Builder, step: CallStep, inputs: Values, context: BuildContext) -> list[Note]:
    labelled = references.labelled_inputs(step, inputs or (), context)
    return builder.nodes.shape_notes(labelled, step.span.source)


def _as_op_step(builder: Builder, step: CallStep, op: type[Op]) -> OpStep:
    """The call as a step of an op: the same object each time, so that its op is cached."""
    key = (step, op)
    if key not in builder.op_steps:
        builder.op_steps[key] = as_op_step(step, op)
    return builder.op_steps[key]


def _enter_block(
    builder: Builder, inside: BuildContext, block: Block, library: Library, step: CallStep, context: BuildContext
) -> None:
    """Make a context the inside of a block, which sees no layers outside and may share the weights of another."""
    inside.symbols.outer, inside.symbols.caller = None, context.symbols
    inside.symbols.bodies = (block.layers,)
    if step.share is not None:
        inside.symbols.weight_owner = references.shared_weight_owner(step.share, step, context)
    inside.library, inside.call, inside.blocks = library, step.span, context.blocks | {block.span}
    if block.span in context.blocks:
        builder.budget.count_recursion(step.span, block)


def _bind_names(inside: BuildContext, step: CallStep, block: Block, named: Mapping[str, Values]) -> None:
    """Make the inputs of a block that are passed known inside it by their names."""
    symbols = inside.symbols
    symbols.inputs = tuple(block.inputs)
    symbols.entries |= {name: Symbol(values, step.span, symbols.path_of(name)) for name, values in named.items()}


def _outputs(builder: Builder, block: Block, inside: BuildContext) -> tuple[Values, Mapping[str, Value]]:
    """The values that a block returns, also by name."""
    errors: list[Diagnostic] = []
    returned = references.block_outputs(block.outputs, inside, errors)
    builder.report(ArchspecError(errors), inside)
    if returned is None:
        inside.symbols.uncertain = True
        return None, NO_PORTS
    return tuple(returned.values()), returned


# --- structures ---


@builds(SequentialStep)
def build_sequential(
    builder: Builder, step: SequentialStep, name: str | None, inputs: Values, context: BuildContext
) -> Values:
    """Layers in order, in a scope of their own."""
    inside = builder.open_scope(step, name, context, indexed=step.indexed)
    outputs = builder.body(step.layers, inputs, inside)
    return builder.close_scope(step.keyword, step.span, inside, inputs, outputs, context)


@builds(SideStep)
def build_side(builder: Builder, step: SideStep, name: str | None, inputs: Values, context: BuildContext) -> Values:
    """A branch whose outputs the next step does not read."""
    inside = builder.open_scope(step, name, context)
    inside.training_only = context.training_only or step.training_only
    outputs = builder.body(step.layers, inputs, inside)
    builder.close_scope(step.keyword, step.span, inside, inputs, outputs, context, training_only=step.training_only)
    return inputs


@builds(ResidualStep)
def build_residual(
    builder: Builder, step: ResidualStep, name: str | None, inputs: Values, context: BuildContext
) -> Values:
    """Layers and a shortcut, joined."""
    inside = builder.open_scope(step, name, context)
    results = [
        *_build_path(builder, "layers", None, step.layers, step, inputs, inside),
        *_build_path(builder, "shortcut", None, step.shortcut, step, inputs, inside),
    ]
    outputs = _join(builder, step, results, inputs, inside)
    return builder.close_scope(step.keyword, step.span, inside, inputs, outputs, context)


@builds(ParallelStep)
def build_parallel(
    builder: Builder, step: ParallelStep, name: str | None, inputs: Values, context: BuildContext
) -> Values:
    """Paths from the same inputs, joined: those in the spec, or one per iteration."""
    entries = _entries(builder, step.iterations, inputs, context) if step.iterations else ()
    inside = builder.open_scope(step, name, context, times=len(entries))
    results: list[LabelledValue | None] = []
    for i, (template, layers) in enumerate(step.paths):
        path_name: str | None = None
        if template is not None:
            path_name = builder.report_taken(explicit_name(template, inside.symbols, inside.environment), inside)
        results += _build_path(builder, path_name or f"path {i + 1}", path_name, layers, step, inputs, inside)
    for i, entry in enumerate(entries):
        assert step.iterations is not None
        iteration = inside.with_environment(bind_iteration(step.iterations, i, entry, context.environment))
        results += _build_path(builder, f"path {i + 1}", None, step.iterations.layers, step, inputs, iteration)
    outputs = _join(builder, step, results, inputs, inside)
    return builder.close_scope(step.keyword, step.span, inside, inputs, outputs, context)


@builds(RepeatStep)
def build_repeat(builder: Builder, step: RepeatStep, name: str | None, inputs: Values, context: BuildContext) -> Values:
    """The same layers once per iteration, each with the outputs of the one before."""
    entries = _entries(builder, step.iterations, inputs, context)
    outside = builder.open_scope(step, name, context, indexed=True, times=len(entries), bodies=())
    layers, values = step.iterations.layers, inputs
    for i, entry in enumerate(entries):
        environment = bind_iteration(step.iterations, i, entry, context.environment)
        iteration_name = _iteration_name(builder, step, outside, environment)
        inside = builder.open_scope(step, iteration_name, outside, environment=environment, bodies=(layers,))
        before, values = values, builder.body(layers, values, inside)
        builder.close_scope("iteration", step.span, inside, before, values, outside)
        if inside.is_cut_off:
            break
    return builder.close_scope(step.keyword, step.span, outside, inputs, values, context)


def _iteration_name(builder: Builder, step: RepeatStep, outside: BuildContext, environment: Environment) -> str | None:
    """The name of an iteration: that of the repeat if it differs in each iteration, or a number inside the repeat."""
    if step.name is None:
        return None
    if names_iterations(step):
        return builder.report_taken(explicit_name(step.name, outside.symbols, environment), outside)
    return outside.symbols.fresh_name("")


def _entries(builder: Builder, iterations: Iterations, values: Values, context: BuildContext) -> Sequence[Data]:
    """The entries of the iterations, after their number is checked."""
    field = iterations.times if iterations.over is None else iterations.over
    assert field is not None
    entries = iteration_entries(iterations, context.evaluate(field, values))
    builder.budget.check_repetitions(field.span, len(entries) * context.repetitions)
    builder.budget.count_steps(field.span, len(entries))
    builder.budget.count_scope(field.span, len(context.environment), len(entries))
    return entries


# --- joined paths ---


def _build_path(
    builder: Builder, label: str, name: str | None, layers: Body, step: Step, inputs: Values, context: BuildContext
) -> list[LabelledValue | None]:
    """Build one path of a join: its outputs, with its label, or a None if they are unknown."""
    if context.is_cut_off:
        return [None]
    inside = builder.open_scope(step, name, context, bodies=(layers,))
    outputs = builder.body(layers, inputs, inside)
    builder.close_scope("path", step.span, inside, inputs, outputs, context, label=label)
    if outputs is None:
        return [None]
    return [LabelledValue(label, value, "" if layers else "identity") for value in outputs]


def _join(
    builder: Builder,
    step: ResidualStep | ParallelStep,
    results: Sequence[LabelledValue | None],
    inputs: Values,
    context: BuildContext,
) -> Values:
    """Join the results of paths; None if one of them is unknown or they do not fit."""
    if context.is_cut_off:
        return None
    known = [result for result in results if result is not None]
    name: str | None = None
    try:
        if not results:
            raise fail("wrong-arity", "there are no paths to join", step.span, help="add at least one path")
        if len(known) < len(results):
            raise Invalid
        if step.crop:
            known = _crop(builder, known, step, context)
        name = builder.name(step.join, context)
        op = builder.op_of(step.join, inputs, context)
        op = op.cropping() if step.crop and isinstance(op, Join) else op
        return builder.node(op, tuple(result.value for result in known), name, step, context, known)
    except ArchspecError as error:
        builder.report(error, context)
    except Invalid:
        pass
    context.symbols.mark_invalid(name or builder.name_of_failed(step.join, context), step.span)
    return None


def _crop(builder: Builder, results: Sequence[LabelledValue], step: Step, context: BuildContext) -> list[LabelledValue]:
    """The results of paths, cropped to the size of the smallest."""
    cropped: list[LabelledValue] = []
    for result, size in zip(results, crop_sizes([result.type for result in results]), strict=True):
        if size is not None:
            op = create(AlignCrop, {"size": size})
            (value,) = builder.node(op, (result.value,), None, step, context, results) or ()
            cropped.append(replace(result, value=value))
        else:
            cropped.append(result)
    return cropped
