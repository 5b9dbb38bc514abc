"""Infers the classes of the source: modules that compute the same share a class, parameterized by their differences.

The constructor of a class is inferred by comparing its instances: equal parts are constants, and differing parts become
parameters or small expressions of parameters. (Plotkin 1970 calls it the least general generalization.)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from keyword import iskeyword

from archspec.lower.reserved_names import CONTAINER_METHODS, is_reserved
from archspec.lower.text.anti_unify import Parameters
from archspec.lower.text.code_model import Argument, Call, DeferredCall
from archspec.lower.text.formatter import listed
from archspec.lower.text.names import ReservedNames
from archspec.lower.text.numbered_runs import unnumbered
from archspec.lower.torch.equivalence import function, matched, needs_condition
from archspec.lower.torch.module_plan import ModulePlan, NetworkPlan

IDENTITY = Call("nn.Identity")


@dataclass(eq=False, slots=True)
class Class:
    """A class of the source. Its children and functions contain parameter expressions where instances differ."""

    name: str
    instances: list[ModulePlan]
    parameters: Parameters
    children: dict[str, Argument] = field(default_factory=dict)
    functions: dict[int, Call] = field(default_factory=dict)
    """The functions of steps, by the number of the step."""
    choices: dict[int, str] = field(default_factory=dict)
    """The conditions of steps that not every instance has, by the number of the step."""

    @property
    def module(self) -> ModulePlan:
        """The instance that has all children of the class."""
        return self.instances[0]

    @property
    def sequential(self) -> bool:
        return self.module.sequential


def classes(plan: NetworkPlan, root_name: str, reserved: ReservedNames) -> list[Class]:
    """The classes of a plan in order of definition: a class follows those it uses, and the root class is last.

    Args:
        plan: the modules.
        root_name: the name of the root class.
        reserved: names that no class and no parameter can have.
    """
    return _Classes(plan, root_name, reserved).all()


@dataclass(frozen=True, slots=True)
class _TakenAttributes:
    """The attributes of a module that cannot store a parameter: its children and those of PyTorch's classes."""

    children: Container[str]

    def __contains__(self, name: object) -> bool:
        return not isinstance(name, str) or name in self.children or is_reserved(name) or name in CONTAINER_METHODS


class _Classes:
    def __init__(self, plan: NetworkPlan, root_name: str, reserved: ReservedNames) -> None:
        self.root = plan.root
        self.reserved = reserved.with_names([root_name])
        self.root_name = root_name
        modules = list(plan.root.modules())
        self.blocks = Counter(module.scope.block for module in modules)
        self.groups = self.grouped([module for module in modules if self.wants_class(module)])
        self.started: set[int] = set()
        self.classes: list[Class] = []
        self.class_of: dict[ModulePlan, tuple[Class, int]] = {}

    def all(self) -> list[Class]:
        self.define(self.root)
        for cls in self.classes:
            cls.children = {name: self.resolved(child) for name, child in cls.children.items()}
        return self.classes

    def wants_class(self, module: ModulePlan) -> bool:
        """Whether a module is written as a class rather than as `nn.Sequential(...)` where it is used."""
        if module is self.root or not (module.sequential or module.counted or module.listed):
            return True
        block = module.scope.block
        return block is not None and self.blocks[block] > 1 and len(module.outputs) == 1

    def grouped(self, modules: Sequence[ModulePlan]) -> dict[ModulePlan, list[ModulePlan]]:
        """For each module, the modules that share its class; those with the most children come first."""
        by_label: dict[str, list[list[ModulePlan]]] = {}
        group_of: dict[ModulePlan, list[ModulePlan]] = {}
        for module in sorted(modules, key=lambda module: (-len(module.children), -len(module.steps))):
            groups = by_label.setdefault(label(module), [])
            group = next((group for group in groups if self.fits(group[0], module)), None)
            if group is None:
                groups.append(group := [])
            group.append(module)
            group_of[module] = group
        return group_of

    def fits(self, model: ModulePlan, module: ModulePlan) -> bool:
        """Whether a module can share the class of `model`."""
        return matched(model, module) is not None and all(
            self.outline(model.children[name]) == self.outline(child) for name, child in module.children.items()
        )

    def outline(self, child: ModulePlan | Call) -> object:
        """What must be equal in a child, so that layers of a sequence are not separate constructor arguments."""
        if isinstance(child, Call) or self.wants_class(child):
            return None
        layers = child.children.values()
        return [(label(layer), len(layer.children)) if isinstance(layer, ModulePlan) else None for layer in layers]

    def define(self, module: ModulePlan) -> None:
        """Define the class of a module, after those of its children."""
        group = self.groups[module]
        if id(group) in self.started:
            return
        self.started.add(id(group))
        children = [self.children(member) for member in group]  # defines the classes of these first
        arguments = [member.scope.arguments for member in group]
        parameters = Parameters(arguments, self.reserved, _TakenAttributes(group[0].children))
        cls = Class("", group, parameters)
        for name in children[0]:
            trees = [instance.get(name, IDENTITY) for instance in children]
            cls.children[name] = parameters.generalize(trees, (name,), "")
        matches = [matched(group[0], member) or () for member in group]
        for number, (step, *steps) in enumerate(zip(group[0].steps, *matches, strict=True)):
            if step is not None and step.function is not None:
                cls.functions[number] = parameters.function([function(step, match) for match in steps])
                if None in steps and needs_condition(step):
                    cls.choices[number] = parameters.choice([match is not None for match in steps], "residual")
        cls.name = self.name(group[0])
        self.class_of.update((member, (cls, i)) for i, member in enumerate(group))
        self.classes.append(cls)

    def children(self, module: ModulePlan) -> dict[str, Argument]:
        """The constructor calls of the children of a module."""
        shapes = {step.attribute: str(step.outputs[0].type) for step in module.steps} if module.sequential else {}
        return {name: self.construction(child, shapes.get(name, "")) for name, child in module.children.items()}

    def construction(self, child: ModulePlan | Call, comment: str) -> Argument:
        """The constructor call of a child; deferred if its class is still being defined."""
        if isinstance(child, Call):
            return replace(child, comment=comment)
        if child not in self.groups:
            names = () if child.sequential else tuple(child.children)
            children = tuple(self.children(child).values())
            if child.listed:
                return Call("nn.ModuleList", {"modules": listed(children)}, 1)
            return Call("nn.Sequential", children=children, names=names, comment=comment)
        self.define(child)
        if child not in self.class_of:
            return DeferredCall(child)
        cls, instance = self.class_of[child]
        return replace(cls.parameters.call(cls.name, instance), comment=comment)

    def resolved(self, argument: Argument) -> Argument:
        """An argument with deferred calls resolved."""
        if isinstance(argument, DeferredCall):
            assert isinstance(argument.module, ModulePlan)
            return self.resolved(self.construction(argument.module, ""))
        if not isinstance(argument, Call):
            return argument
        arguments = {name: self.resolved(value) for name, value in argument.arguments.items()}
        return replace(argument, arguments=arguments, children=tuple(map(self.resolved, argument.children)))

    def name(self, module: ModulePlan) -> str:
        if module is self.root:
            return self.root_name
        words = camel(label(module))
        base = words if can_be_class(words) else f"Module{words}"
        separator = "_" if base[-1].isdigit() else ""
        numbered = chain([base], (f"{base}{separator}{number}" for number in count(2)))
        name = next(name for name in numbered if name not in self.reserved)
        self.reserved = self.reserved.with_names([name])
        return name


def can_be_class(name: str) -> bool:
    """Whether a class can have a name, whatever else is in the text."""
    return name[:1].isalpha() and not iskeyword(name) and name not in ("F", "OrderedDict", "Tensor")


def camel(name: str) -> str:
    """A name in camel case: `conv_bn` becomes ConvBn; numbers stay separate, `lenet5_1998` becomes Lenet5_1998."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9_]+|_(?!\d)|(?<!\d)_", name))


def label(module: ModulePlan) -> str:
    """The name on which a class name is based: that of the block, or of the module without its number.

    That is `stage` for `stage1` and `stage2`, and also for `stages.0` and `stages.1`.
    """
    if module.scope.block:
        return module.scope.block
    words = [name for name in module.name.split(".") if not name.isdigit()]
    if words and module.local_name.isdigit():
        return re.sub(r"(?<=\w{2}[^s])s$", "", words[-1])
    return unnumbered(module.local_name)
