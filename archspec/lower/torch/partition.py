"""Plans the modules of a network: partitions the graph at its named scopes.

A named scope becomes a module with submodules. An unnamed scope becomes part of the module around it. The inputs and
outputs of a module are the values that cross its boundary.

A layer or scope that shares weights becomes a second call of the module that owns them. A scope that shares weights of
a module outside itself cannot call it, so the module around calls the layers of that scope itself: `x = self.norm1(x)`
in the scope `step` becomes `x = self.step.norm1(x)` there. The same happens to a scope that shares the weights of
another, but does something else with them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from archspec.diagnostics import Span, fail
from archspec.ir.graph import Graph, Node, Scope, Value
from archspec.lower.reserved_names import is_reserved, reserved_message
from archspec.lower.rule_table import unsupported
from archspec.lower.text.code_model import INPLACE, Call
from archspec.lower.torch.aligned_paths import AlignedPaths
from archspec.lower.torch.module_call import Helper, ModuleCall
from archspec.lower.torch.module_plan import ForwardStep, ModulePlan, NetworkPlan, is_attribute
from archspec.lower.torch.rules import RULES, with_shared_weights
from archspec.lower.torch.size_checks import SizeChecks, size_checks
from archspec.ops import Op
from archspec.ops.merge import Join


def plan(graph: Graph) -> NetworkPlan:
    """The modules of a graph.

    Raises:
        ArchspecError: PyTorch cannot express something the graph asks for.
    """
    planner = _Planner(graph)
    root = planner.module(graph.body, "")
    root.inputs = graph.inputs  # including unread inputs
    root.outputs = tuple(output.value for output in graph.outputs)  # may contain an input, or a value twice
    root.sized_inputs = planner.checks.inputs
    return NetworkPlan(root, tuple(sorted(planner.helpers, key=repr)))


class _Planner:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.unused = graph.unused
        self.readers = Counter(value for node in graph.nodes if node not in self.unused for value in node.inputs)
        self.readers.update(output.value for output in graph.outputs)
        self.aligned = AlignedPaths(graph, self.readers)
        self.helpers: set[Helper] = set()
        self.callees: dict[Value, str] = {}
        self.shared = {scope.owner for scope in graph.body.scopes() if scope.owner}
        self.dissolved: set[str] = set()
        """The names of scopes whose layers the module around calls."""
        self.owners(graph.body)
        self.several = False
        """Whether the current module is called in several places, with different inputs."""
        self.calls: dict[str, ModuleCall] = {}
        self.modules: dict[str, ModulePlan] = {}

    def module(self, scope: Scope, name: str) -> ModulePlan:
        module = ModulePlan(name, scope)
        self.fill(module, module, scope, "x", False)
        self.set_border(module)
        return module

    def owners(self, scope: Scope) -> set[str]:
        """The owners of the weights that the layers of a scope share, as far as the module around must reach them.

        Scopes inside whose module cannot reach all that it needs are added to `dissolved`.
        """
        owners: set[str] = set()
        for item in scope.items:
            if isinstance(item, Node):
                if item.owner is not None and item not in self.unused:
                    owners.add(item.owner)
            elif item.name is None:
                owners |= self.owners(item)
            else:
                inside, name = self.owners(item), item.owner or item.name
                if item.owner in self.dissolved or not all(owner.startswith(f"{name}.") for owner in inside):
                    self.dissolved.add(item.name)
                    owners |= inside
                elif item.owner is not None and not self.unused.issuperset(item.nodes()):
                    owners.add(item.owner)
        return owners

    def fill(self, module: ModulePlan, holder: ModulePlan, scope: Scope, hint: str, training_only: bool) -> None:
        """Add the nodes of a scope to a module, and those of unnamed scopes inside it.

        Args:
            module: the module that calls them.
            holder: the module that they are children of: the same, or one inside it that is dissolved.
            scope: the scope.
            hint: the preferred name of variables.
            training_only: whether the scope runs only while training.
        """
        for item in scope.items:
            if isinstance(item, Node):
                self.node(module, holder, item, hint, training_only)
                continue
            training = training_only or item.training_only
            if item.name is None:
                self.fill(module, holder, item, _path_hint(item, scope, hint) or _hint(item) or hint, training)
            elif next(item.nodes(), None) is not None:
                self.child(module, holder, item, hint, training)

    def node(self, module: ModulePlan, holder: ModulePlan, node: Node, hint: str, training_only: bool) -> None:
        if node.owner is not None and node in self.unused:
            return
        if self.aligned.crops_for_join_only(node):
            module.reads.update(node.inputs)
            return
        inputs, call = self.aligned.inputs(node), RULES.apply(node, node)
        if call.checked is not None and type(node.op) in self.checks.ops:
            call = call.checked
        call = self.overwriting(node, call)
        if node.owner is not None:
            call = self.sharing(node, call)
        else:
            self.calls[node.name] = call
        step = ForwardStep(inputs, node.outputs, node=node, hint=hint, training_only=training_only)
        path = _path(module, holder, node)
        if call.parameter is not None or (node.owner is not None and call.module is None):
            step.function, step.parameter = call.function, path
            if node.owner is None and call.parameter is not None:
                _register(holder, node.local_name, call.parameter, node.span)
        elif call.module is not None and (call.function is None or _wants_module(node, holder)):
            step.attribute, *items = path
            step.items, step.arguments = tuple(items), call.arguments
            if node.owner is None:
                _register(holder, node.local_name, call.module, node.span)
            if call.helper is not None:
                self.helpers.add(call.helper)
        else:
            step.function = call.function
        if node in self.unused:  # its weights belong to the module, but nothing calls it
            return
        if call.module is None and call.helper is not None:
            self.helpers.add(call.helper)
        module.steps.append(step)
        module.reads.update(node.inputs)
        callee = call.module if step.attribute is not None else step.function
        returns_its_input = isinstance(node.op, Join) and node.op.returns_its_input(len(node.inputs))
        name = callee.callee if callee and not returns_its_input else ""
        self.callees.update(dict.fromkeys(node.outputs, name))

    def sharing(self, node: Node, call: ModuleCall) -> ModuleCall:
        """How a layer that shares weights is written: as a call of their owner's module, or a function of its weights.

        Raises:
            ArchspecError: it is neither.
        """
        shared = with_shared_weights(node, call, self.calls[node.owner or node.name])
        if shared is None:
            raise unsupported("PyTorch", node, f"it shares the weights of '{node.owner}', which has other attributes")
        return shared

    @cached_property
    def checks(self) -> SizeChecks:
        """The sizes that the source has to check."""
        calls = [(type(node.op), RULES.apply(node, node)) for node in self.graph.nodes]
        return size_checks(
            self.graph, {kind for kind, call in calls if call.checked is not None and issubclass(kind, Op)}
        )

    def overwriting(self, node: Node, call: ModuleCall) -> ModuleCall:
        """A rule's result, with `inplace` set if nothing else reads the input, in the forward or the backward pass."""
        either = call.module or call.function
        if either is None or not either.inplace:
            return call
        (value,) = node.inputs
        inplace = not self.several and self.readers[value] == 1 and self.callees.get(value) in _OVERWRITABLE
        return replace(call, module=_inplace(call.module, inplace), function=_inplace(call.function, inplace))

    def child(self, module: ModulePlan, holder: ModulePlan, scope: Scope, hint: str, training_only: bool) -> None:
        assert scope.name is not None
        if scope.owner is not None and self.unused.issuperset(scope.nodes()):
            return
        if scope.name in self.dissolved:
            self.dissolve(module, holder, scope, hint, training_only)
            return
        several, self.several = self.several, self.several or not {scope.name, scope.owner}.isdisjoint(self.shared)
        child = self.module(scope, scope.owner or scope.name)
        self.several = several
        if scope.owner is None:
            _register(holder, scope.local_name, child, scope.span)
            self.modules[scope.name] = child
        elif scope.owner not in self.modules or not _equivalent(self.modules[scope.owner], child):
            self.dissolved.add(scope.name)
            self.dissolve(module, holder, scope, hint, training_only)
            return
        attribute, *items = _path(module, holder, scope)
        hint = _hint(scope) or hint
        child.listed = self.wants_list(child)
        if child.listed:
            module.steps += _spliced(child, attribute, items, hint, training_only)
        elif child.sequential and len(child.outputs) > 1:
            module.steps += _parts(child, attribute, items, hint, training_only)
        else:
            step = ForwardStep(
                child.inputs, child.outputs, attribute, tuple(items), hint=hint, training_only=training_only,
                names=scope.names_of_values,
            )  # fmt: skip
            module.steps.append(step)
        module.reads.update(child.reads)

    def dissolve(self, module: ModulePlan, holder: ModulePlan, scope: Scope, hint: str, training_only: bool) -> None:
        """Add the nodes of a named scope to the module around it; those with weights of their own stay where they are.

        Args:
            module: the module that calls the nodes.
            holder: the module that the scope is a child of.
            scope: the scope.
            hint: the preferred name of variables.
            training_only: whether the scope runs only while training.
        """
        assert scope.name is not None
        inside = ModulePlan(scope.name, scope, dissolved=True)
        self.fill(module, inside, scope, _hint(scope) or hint, training_only)
        inside.listed = inside.container == "nn.ModuleList"
        if inside.children:
            _register(holder, scope.local_name, inside, scope.span)

    def wants_list(self, module: ModulePlan) -> bool:
        """Whether a module is an `nn.ModuleList`: numbered children that are neither a sequence nor a block."""
        scope = module.scope
        plain = scope.block is None and scope.owner is None and scope.name not in self.shared
        return plain and module.container == "nn.ModuleList"

    def set_border(self, module: ModulePlan) -> None:
        """Set the inputs and outputs of a module. Steps that no output depends on are removed; their children stay."""
        produced = {value for step in module.steps for value in step.outputs}
        read_outside = [value for value in produced if self.readers[value] > module.reads[value]]
        scope_outputs = [value for value in module.scope.outputs if value in produced]
        exported = set(read_outside)
        module.outputs = tuple(dict.fromkeys(value for value in scope_outputs if value in exported))
        ordered = [value for step in module.steps for value in step.outputs if value in exported]
        in_order = module.outputs and ordered[-1:] == [*module.outputs] and not module.scope.output_names
        module.outputs = tuple(ordered if in_order else dict.fromkeys((*module.outputs, *ordered)))
        needed = set(module.outputs)
        live: list[ForwardStep] = []
        for step in reversed(module.steps):
            if not needed.isdisjoint(step.outputs):
                needed.update(step.inputs)
                live.append(step)
        module.steps = live[::-1]
        read = dict.fromkeys(value for step in module.steps for value in step.inputs if value not in produced)
        module.inputs = tuple(dict.fromkeys(value for value in (*module.scope.inputs, *read) if value in read))


def _equivalent(owner: ModulePlan, module: ModulePlan) -> bool:
    """Whether the module that owns shared weights computes the same as the one that uses them."""
    others = ((owner.children.get(name), child) for name, child in module.children.items())
    return _numbered_steps(owner) == _numbered_steps(module) and all(
        _equivalent(one, other) if isinstance(one, ModulePlan) and isinstance(other, ModulePlan) else one == other
        for one, other in others
    )


def _numbered_steps(module: ModulePlan) -> object:
    """The steps of a module, with values numbered in order of their definition."""
    numbers = {value: i for i, value in enumerate(module.inputs)}
    steps: list[object] = []
    for step in module.steps:
        inputs = [numbers[value] for value in step.inputs]
        callee = step.attribute, step.items, step.function, step.parameter
        steps.append((inputs, callee, step.part, step.training_only))
        numbers |= {value: len(numbers) + i for i, value in enumerate(step.outputs)}
    return len(module.inputs), steps, [numbers[value] for value in module.outputs]


def _spliced(
    child: ModulePlan, attribute: str, items: Sequence[str], hint: str, training_only: bool
) -> Iterator[ForwardStep]:
    """The steps of an `nn.ModuleList`, as steps of the module around it."""
    for step in child.steps:
        hint_inside = hint if step.hint == "x" else step.hint
        spliced = replace(step, hint=hint_inside, training_only=training_only or step.training_only)
        if step.attribute is not None:
            spliced.attribute, spliced.items = attribute, (*items, step.attribute, *step.items)
        yield spliced


def _parts(
    child: ModulePlan, attribute: str, items: Sequence[str], hint: str, training_only: bool
) -> Iterator[ForwardStep]:
    """The steps that call a sequence of modules in slices, one for each value that is read outside.

    A slice of one module is an index instead: TorchScript does not support slices.
    """
    inputs, start = child.inputs, 0
    for stop, step in enumerate(child.steps, start=1):
        if step.outputs[0] in child.outputs:
            single = stop - start == 1
            part = None if single else slice(start or None, stop if stop < len(child.steps) else None)
            path = (*items, str(start)) if single else tuple(items)
            yield ForwardStep(
                inputs, step.outputs, attribute, items=path, part=part, hint=hint, training_only=training_only
            )
            inputs, start = step.outputs, stop


_OVERWRITABLE = frozenset(
    [f"nn.{kind}{d}d" for kind in ("Conv", "ConvTranspose", "BatchNorm", "MaxPool", "AvgPool") for d in (1, 2, 3)]
    + [f"F.{kind}_pool{d}d" for kind in ("max", "avg") for d in (1, 2, 3)]
    + ["FrozenBatchNorm", "nn.Linear", "+", "torch.cat"]
)
"""Callees that return a new tensor, which their backward pass does not read."""


def _inplace(call: Call | None, inplace: bool) -> Call | None:
    if call is None:
        return None
    arguments, defaults = {**call.arguments, INPLACE: inplace}, {**call.defaults, INPLACE: False}
    return replace(call, arguments=arguments, defaults=defaults)


def _wants_module(node: Node, holder: ModulePlan) -> bool:
    """Whether an op that could be a function is a module: it has weights, or a name from the spec in a module."""
    default_name = re.fullmatch(rf"{node.op.kind}(_\d+)?", node.local_name)
    return bool(node.weights) or (default_name is None and not holder.dissolved)


def _register(module: ModulePlan, name: str, child: Call | ModulePlan, span: Span | None) -> None:
    """Add a child to a module.

    Raises:
        ArchspecError: PyTorch's modules have an attribute of this name.
    """
    if is_reserved(name):
        raise fail("unsupported", reserved_message(name), span, help="give the layer another name")
    module.children[name] = child


def _path(module: ModulePlan, holder: ModulePlan, item: Node | Scope) -> tuple[str, ...]:
    """The names from a module to what is called in it: a child of `holder`, or the owner of shared weights."""
    name = item.owner or f"{holder.name}.{item.local_name}"
    return tuple(name.removeprefix(f"{module.name}.").removeprefix(".").split("."))


def _path_hint(path: Scope, scope: Scope, hint: str) -> str | None:
    """The variable name on a path whose siblings are all identities, or that is inside another path."""
    if path.kind != "path" or path.label is None or not path.label.startswith("path "):
        return None
    nonempty = sum(isinstance(item, Scope) and item.kind == "path" and bool(item.items) for item in scope.items)
    if nonempty == 1:
        return "y"
    return path.label.replace("path ", f"{hint}_") if hint.startswith("y") else None


def _hint(scope: Scope) -> str | None:
    """The variable name on a path."""
    if scope.kind == "side":
        names = [scope.name, *(item.name for item in scope.items)] if len(scope.items) == 1 else [scope.name]
        label = next((name.rpartition(".")[2] for name in names if name), "side")
    elif scope.kind == "path" and scope.label is not None:
        label = {"layers": "y"}.get(scope.label, scope.label.replace("path ", "y"))
    else:
        return None
    return label if is_attribute(label) and not label.startswith("_") else None
