"""What the source does, step by step: the graph at inference, cut at the regions that have a name.

A functional model has no branch for training: what a `side` runs only then is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from archspec.ir.graph import Graph, Node, Scope, Value
from archspec.lower.keras.initializers import frozen_alone, started
from archspec.lower.keras.rules import RULES
from archspec.lower.keras.rules.common import LayerCall, WeightLayout
from archspec.lower.text.code_model import Call
from archspec.ops.reshape import Flatten


@dataclass(eq=False, slots=True)
class Step:
    """One layer or function with what prepares it, or a part."""

    name: str
    """What Keras calls it."""
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    calls: tuple[Call, ...] = ()
    part: Part | None = None
    owner: str | None = None
    """The layer that is called again, where its weights are shared."""
    shared: bool = False
    """Whether others call its layer."""
    given: str | None = None
    """What its layer is called with; see `Written`."""


@dataclass(eq=False, slots=True)
class Part:
    """A named region: a function of its own, if others do the same."""

    name: str
    region: Scope
    steps: list[Step]
    inputs: tuple[Value, ...] = ()
    outputs: tuple[Value, ...] = ()
    closed: bool = True
    """Whether it can be a function: its layers are called as their places say, and by nobody else."""

    def parts(self) -> Iterator[Part]:
        """The parts inside and this one, the innermost first."""
        for step in self.steps:
            if step.part is not None:
                yield from step.part.parts()
        yield self


@dataclass(frozen=True, slots=True)
class Plan:
    """The network as a part, and what each layer with weights is called."""

    root: Part
    outputs: tuple[Value, ...]
    names: Mapping[str, str]
    """What Keras calls a layer of the spec."""
    holds: Mapping[str, tuple[tuple[str, WeightLayout], ...]]
    """How layers of the spec that own weights hold them, by their names in the state dict."""
    helpers: Mapping[str, str]
    """The classes that the source defines for itself: their names and their text."""
    tables: Mapping[str, object]
    """Numbers that stand at the head of the source, by their names."""
    frozen: tuple[tuple[str, str], ...]
    """Layers, as Keras calls them, each with a variable that does not learn though others of the layer do."""


def plan(graph: Graph) -> Plan:
    """The steps of a graph.

    Raises:
        ArchspecError: Keras cannot express something the graph asks for.
    """
    tables: dict[str, object] = {}
    needed = _needed(graph)
    owners = _owners(needed)
    begun = {node: started(_lent(node, owners), rule, tables) for node, rule in needed.items()}
    rules = _squeezed(begun, graph)
    names = _names(graph, rules)
    planner = _Planner(graph, rules, names, owners)
    holds = {node.name: _keyed(node, rule) for node, rule in rules.items() if node.weights and node not in owners}
    helpers = dict(helper for rule in rules.values() for helper in rule.helpers)
    frozen = tuple(
        (names[node.name], each) for node, rule in rules.items() for each in frozen_alone(_lent(node, owners), rule)
    )
    return Plan(planner.part(graph.body), outputs(graph, planner.same), names, holds, helpers, tables, frozen)


def _keyed(node: Node, rule: LayerCall) -> tuple[tuple[str, WeightLayout], ...]:
    """What a layer holds, each with the name of the weight in the state dict."""
    keys = {weight.name: node.weight_key(weight) for weight in node.weights}
    return tuple((keys[held.weight], held) for held in rule.holds)


def outputs(graph: Graph, same: Mapping[Value, Value]) -> tuple[Value, ...]:
    """What the network returns at inference."""
    return tuple(same.get(output.value, output.value) for output in graph.inference_outputs)


def _handed_on(rules: Mapping[Node, LayerCall]) -> dict[Value, Value]:
    """Values that are others, because a node with nothing to do hands them on."""
    same: dict[Value, Value] = {}
    for node, rule in rules.items():
        if not rule.calls:
            same.update((made, same.get(node.inputs[0], node.inputs[0])) for made in node.outputs)
    return same


def _squeezed(rules: Mapping[Node, LayerCall], graph: Graph) -> dict[Node, LayerCall]:
    """The rules, but that a global pooling leaves out the axes of 1 itself which a `flatten` alone reads."""
    readers = Counter(value for node in rules for value in node.inputs)
    readers.update(output.value for output in graph.outputs)
    makers = {value: node for node in rules for value in node.outputs}
    found = dict(rules)
    for node in rules:
        pooling = makers.get(node.inputs[0])
        if isinstance(node.op, Flatten) and pooling is not None and readers[node.inputs[0]] == 1:
            calls = rules[pooling].calls
            if len(node.output_types[0].sizes) == 1 and [*map(_keeps, calls)] == [True]:
                bare = replace(calls[0], arguments={**calls[0].arguments, "keepdims": False})
                found |= {pooling: replace(rules[pooling], calls=(bare,)), node: LayerCall()}
    return found


def _keeps(call: Call) -> bool:
    """Whether a call is a global pooling that keeps its axes."""
    return call.callee.startswith("layers.Global") and call.arguments.get("keepdims") is True


def _needed(graph: Graph) -> dict[Node, LayerCall]:
    """The nodes that the outputs at inference depend on, not for a size alone, and how each is written."""
    wanted = {output.value for output in graph.inference_outputs}
    found: list[tuple[Node, LayerCall]] = []
    for node in reversed(graph.nodes):
        if not wanted.isdisjoint(node.outputs):
            rule = RULES.apply(node, node)
            wanted.update(node.inputs[: rule.reads])
            found.append((node, rule))
    return dict(reversed(found))


def _owners(nodes: Iterable[Node]) -> dict[Node, str]:
    """The layers that are called again, by who calls them: of those that share weights, the first that is needed."""
    first: dict[str, Node] = {}
    for node in nodes:
        first.setdefault(node.owner or node.name, node)
    return {node: first[node.owner].name for node in nodes if node.owner and first[node.owner] is not node}


def _lent(node: Node, owners: Mapping[Node, str]) -> Node:
    return node.with_weights(node.weights, owners.get(node))


def _names(graph: Graph, rules: Mapping[Node, LayerCall]) -> dict[str, str]:
    """What Keras calls each layer: its name with `_` for the dots, which PyTorch's parameters cannot have.

    Where that makes one name of two it is `-`, which no name of a spec has. Names that Keras gives functions by itself
    are left to them.
    """
    own = [value.name for value in graph.inputs]
    paths = [node.name for node in rules]
    joined = [*own, *(path.replace(".", "_") for path in paths)]
    mark = "_" if len(set(joined)) == len(joined) else "-"
    functions = {call.callee for rule in rules.values() for call in rule.calls if call.template is not None}
    automatic = re.compile(rf"({'|'.join(sorted(functions))})(_\d+)?") if functions else None
    found: dict[str, str] = {}
    taken = set(own)
    for path in paths:
        name = path.replace(".", mark)
        while name in taken or (automatic is not None and automatic.fullmatch(name)):
            name += f"{mark}layer"
        found[path] = name
        taken.add(name)
    return found


class _Planner:
    def __init__(
        self, graph: Graph, rules: Mapping[Node, LayerCall], names: Mapping[str, str], owners: Mapping[Node, str]
    ) -> None:
        self.rules = rules
        self.names = names
        self.owners = owners
        self.called_again = set(owners.values())
        self.same = _handed_on(rules)
        self.mark = "-" if any("-" in name for name in names.values()) else "_"
        self.readers: dict[Value, set[Node | None]] = {}
        for node in rules:
            for value in self.reads(node):
                self.readers.setdefault(value, set()).add(node)
        for value in outputs(graph, self.same):
            self.readers.setdefault(value, set()).add(None)

    def reads(self, node: Node) -> tuple[Value, ...]:
        """What a node reads, those behind what is handed on."""
        return tuple(self.same.get(value, value) for value in node.inputs[: self.rules[node].reads])

    def part(self, region: Scope) -> Part:
        part = Part((region.name or "").replace(".", self.mark), region, [])
        self.fill(part, region)
        inside = {node for node in region.nodes() if node in self.rules}
        made = {value for step in part.steps for value in step.outputs}
        first = [self.same.get(value, value) for value in region.inputs]
        read = dict.fromkeys(value for step in part.steps for value in step.inputs if value not in made)
        part.inputs = tuple(dict.fromkeys(value for value in (*first, *read) if value in read))
        part.outputs = tuple(v for step in part.steps for v in step.outputs if self.readers.get(v, set()) - inside)
        return part

    def fill(self, part: Part, region: Scope) -> None:
        """Add what a region does to a part, looking through regions without a name."""
        for item in region.items:
            if isinstance(item, Node):
                if item in self.rules and self.rules[item].calls:
                    part.steps.append(self.step(part, item))
            elif item.name is None:
                self.fill(part, item)
            elif any(node in self.rules and self.rules[node].calls for node in item.nodes()):
                inner = self.part(item)
                part.closed &= inner.closed
                part.steps.append(Step(inner.name, inner.inputs, inner.outputs, part=inner))

    def step(self, part: Part, node: Node) -> Step:
        rule = self.rules[node]
        name = self.names[node.name]
        shared = node.name in self.called_again
        part.closed &= node not in self.owners and not shared and name == node.name.replace(".", self.mark)
        owner = self.names[self.owners[node]] if node in self.owners else None
        return Step(name, self.reads(node), node.outputs, rule.calls, owner=owner, shared=shared, given=rule.given)
