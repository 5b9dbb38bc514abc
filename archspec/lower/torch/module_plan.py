"""The plan of a network's modules: what each contains, and what its `forward` calls."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archspec.ir.graph import Node, Scope, Value
from archspec.lower.text.code_model import Call
from archspec.lower.text.numbered_runs import numbered
from archspec.lower.torch.module_call import Helper


def is_attribute(name: str) -> bool:
    """Whether a child of this name can be written as `self.name`."""
    return name.isidentifier() and not keyword.iskeyword(name)


@dataclass(eq=False, slots=True)
class ForwardStep:
    """One statement of a `forward`: a call of a child or of a function."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    attribute: str | None = None
    """The name of the child that it calls."""
    items: tuple[str, ...] = ()
    """The names from that child to the module inside it that is called, if it is not the child itself."""
    arguments: str | None = None
    """The template of what the child is called with, if not with all inputs in their order."""
    function: Call | None = None
    parameter: tuple[str, ...] = ()
    """The names from the module to the parameter that its function reads."""
    node: Node | None = None
    part: slice | None = None
    """The slice that it calls of an `nn.Sequential` whose intermediate values are read as well."""
    hint: str = "x"
    """The preferred name of the variable for its output."""
    names: Mapping[Value, str] = field(default_factory=dict)
    """The preferred names of the variables for several outputs, if a block names them."""
    training_only: bool = False


@dataclass(eq=False, slots=True)
class ModulePlan:
    """The plan of one module: its children and parameters by name, and the steps of its `forward`."""

    name: str
    scope: Scope
    children: dict[str, Call | ModulePlan] = field(default_factory=dict)
    steps: list[ForwardStep] = field(default_factory=list)
    inputs: tuple[Value, ...] = ()
    outputs: tuple[Value, ...] = ()
    reads: Counter[Value] = field(default_factory=Counter)
    """The number of nodes inside that read each value, at any depth."""
    listed: bool = False
    """Whether it is only an `nn.ModuleList`: its steps are part of the module around it."""
    dissolved: bool = False
    """Whether it only holds modules, which the module around calls."""
    sized_inputs: Mapping[Value, bool] = field(default_factory=dict)
    """The inputs that it takes at one size only, each with whether that is so only while training."""

    @property
    def local_name(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def sequential(self) -> bool:
        """Whether it can be an `nn.Sequential`: numbered children, each reading the output of the one before.

        It does not check sizes.

        Inside the network it is called in slices if several of its values are read; the network itself cannot be.
        """
        return self.indexed and self.chain and not self.sized_inputs and (bool(self.name) or len(self.outputs) == 1)

    @property
    def indexed(self) -> bool:
        """Whether the children are named 0, 1, 2, ..."""
        return all(name == str(i) for i, name in enumerate(self.children))

    @property
    def container(self) -> str:
        """The base class in PyTorch: one that accesses children by index or key if their names are not identifiers."""
        if self.sequential:
            return "nn.Sequential"
        if not self.children or any(map(is_attribute, self.children)):
            return "nn.Module"
        if any(isinstance(child, Call) and child.callee == "nn.Parameter" for child in self.children.values()):
            return "nn.Module"
        return "nn.ModuleList" if self.indexed else "nn.ModuleDict"

    @property
    def counted(self) -> bool:
        """Whether it can be an `nn.Sequential` with names: children of one block, named `unit1`, `unit2`, ..."""
        blocks = {child.scope.block if isinstance(child, ModulePlan) else None for child in self.children.values()}
        one_block = len(blocks) == 1 and None not in blocks and self.scope.block is None
        return one_block and numbered([*self.children]) is not None and len(self.outputs) == 1 and self.chain

    @property
    def chain(self) -> bool:
        """Whether the children run one after another, each reading the output of the one before."""
        if not self.children or len(self.inputs) != 1 or any(step.training_only for step in self.steps):
            return False
        if [step.attribute for step in self.steps] != list(self.children) or any(step.items for step in self.steps):
            return False
        values = self.inputs
        for step in self.steps:
            if step.inputs != values or len(step.outputs) != 1 or step.part is not None:
                return False
            values = step.outputs
        return self.outputs[-1:] == values

    @property
    def optional(self) -> frozenset[Value]:
        """The values of its steps that are None outside training: it computes them only then, or a child does."""
        found: set[Value] = set()
        for step in self.steps:
            child = self.called_by(step)
            optional = child.optional if child is not None and len(child.outputs) == len(step.outputs) else ()
            if step.training_only:
                found.update(step.outputs)
            elif child is not None and optional:
                found.update(ours for ours, its in zip(step.outputs, child.outputs, strict=True) if its in optional)
        return frozenset(found)

    def called_by(self, step: ForwardStep) -> ModulePlan | None:
        """The plan of the module inside that a step calls; None if it calls a layer, or a slice of a module."""
        if step.attribute is None or step.part is not None:
            return None
        module: Call | ModulePlan = self
        for name in (step.attribute, *step.items):
            assert isinstance(module, ModulePlan)
            module = module.children[name]
        return module if isinstance(module, ModulePlan) else None

    def containers(self, path: Sequence[str]) -> Iterator[tuple[str, str]]:
        """The names of a path into the module, each with the base class of the module that has a child of this name."""
        module: Call | ModulePlan = self
        for name in path:
            assert isinstance(module, ModulePlan)
            yield name, module.container
            module = module.children[name]

    def modules(self) -> Iterator[ModulePlan]:
        """This module and all inside it, the innermost first."""
        for child in self.children.values():
            if isinstance(child, ModulePlan):
                yield from child.modules()
        yield self


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """The plan of the root module, and the helper classes that the network needs."""

    root: ModulePlan
    helpers: tuple[Helper, ...]
