"""`Network`, the one object a user holds: a checked graph, its facts, and the ways out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from archspec import expectations, zoo
from archspec.diagnostics import ArchspecError, Diagnostic, Source, did_you_mean, fail
from archspec.frontend import language, source
from archspec.frontend.build import build
from archspec.frontend.spec import Expected, Input, Spec
from archspec.frontend.values import Data, show, whole
from archspec.ir.graph import Graph, Node, Value
from archspec.ir.text import text
from archspec.ir.types import TensorType
from archspec.passes.cost import Cost, costs, total
from archspec.passes.memory import Memory, memory
from archspec.passes.receptive_field import Field, receptive_fields

Sizes = Sequence[int]


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a network and its facts. Shapes are those of one sample, without the batch axis."""

    node: Node
    cost: Cost
    field: Field | None

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def op(self) -> str:
        return self.node.op.kind

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its (first) output."""
        return self.node.outputs[0].type.sizes

    @property
    def params(self) -> int:
        return self.cost.params

    @property
    def macs(self) -> int:
        return self.cost.macs

    @property
    def receptive_field(self) -> tuple[int | None, ...] | None:
        """How many input positions it sees along each axis; None where it sees everything."""
        return None if self.field is None or self.field.everything else self.field.size

    def __repr__(self) -> str:
        return f"<Layer {self.name}: {self.op} {self.shape}, {self.params:,} params, {self.macs:,} MACs>"


class Network:
    """A network: a checked graph and everything known about it."""

    def __init__(self, spec: Spec, variant: str | None, graph: Graph) -> None:
        self.spec = spec
        self.variant = variant
        self.graph = graph

    @property
    def name(self) -> str:
        return self.graph.name

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the inputs by name, without the batch axis."""
        return {value.name: value.type.sizes for value in self.graph.inputs}

    @property
    def outputs(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the outputs by name, without the batch axis."""
        return {output.name: output.value.type.sizes for output in self.graph.outputs}

    @cached_property
    def costs(self) -> dict[Node, Cost]:
        """Parameters and arithmetic of each node."""
        return costs(self.graph)

    @cached_property
    def cost(self) -> Cost:
        """Parameters and arithmetic of the whole network."""
        return total(self.graph, self.costs)

    @property
    def params(self) -> int:
        """Parameters, shared ones once."""
        return self.cost.params

    @property
    def trainable_params(self) -> int:
        return self.cost.trainable_params

    @property
    def buffers(self) -> int:
        """Elements of buffers, such as running means."""
        return self.cost.buffers

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one sample's forward pass."""
        return self.cost.macs

    @cached_property
    def memory(self) -> Memory:
        """Activation memory of one sample."""
        return memory(self.graph)

    @cached_property
    def fields(self) -> dict[Value, Field]:
        """Receptive fields with respect to the first input."""
        return receptive_fields(self.graph)

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """All layers by name, in order."""
        fields = self.fields
        return {node.name: Layer(node, self.costs[node], fields.get(node.outputs[0])) for node in self.graph.nodes}

    def __getitem__(self, name: str) -> Layer:
        """The layer of a name.

        Raises:
            KeyError: there is none.
        """
        return self.layers[name]

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers.values())

    @property
    def text(self) -> str:
        """The graph in its canonical text form."""
        return text(self.graph)

    def __repr__(self) -> str:
        return f"<Network {self.name}: {len(self.graph.nodes)} layers, {self.params:,} params, {self.macs:,} MACs>"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A spec compiled as far as it goes: the network without what is wrong, and every mistake and warning."""

    network: Network | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(found for found in self.diagnostics if found.severity == "error")


def load(spec: str | Path, *, input: Sizes | Mapping[str, Sizes] | None = None, **params: Any) -> Network:
    """The network of a spec: a file, `FILE:VARIANT`, or a name in the zoo.

    Args:
        spec: what to load.
        input: another shape for the input, without the batch axis; for several inputs a mapping by name.
        **params: other values for the spec's params.

    Raises:
        ArchspecError: the spec has mistakes; the exception carries all of them.
    """
    path, variant = zoo.find(spec)
    compiled = compile_source(source.read_file(path), variant, input=input, params=params)
    return _sound(compiled)


def parse(
    text: str,
    *,
    name: str = "<spec>",
    variant: str | None = None,
    input: Sizes | Mapping[str, Sizes] | None = None,
    **params: Any,
) -> Network:
    """The network of a spec given as text; otherwise as `load`."""
    return _sound(compile_source(Source(name, text), variant, input=input, params=params))


def check(spec: str | Path) -> tuple[Diagnostic, ...]:
    """Every mistake and warning of a spec, in all its variants unless one is named."""
    try:
        path, variant = zoo.find(spec)
        return check_source(source.read_file(path), variant)
    except ArchspecError as error:
        return error.diagnostics


def check_source(text: Source, variant: str | None = None) -> tuple[Diagnostic, ...]:
    """As `check`, of a text."""
    spec, faults = language.read(text)
    if spec is None:
        return faults
    variants: list[str | None] = [variant] if variant else [*spec.variants] or [None]
    found = dict.fromkeys(faults)
    for name in variants:
        try:
            found.update(dict.fromkeys(_compile(spec, name, None, {}).diagnostics))
        except ArchspecError as error:
            found.update(dict.fromkeys(error.diagnostics))
    return _in_order(found)


def compile_source(
    text: Source, variant: str | None = None, *, input: Sizes | Mapping[str, Sizes] | None = None,
    params: Mapping[str, Any] | None = None,
) -> Compiled:  # fmt: skip
    """A spec compiled as far as it goes.

    Raises:
        ArchspecError: it does not go at all: no YAML, no such variant, params or input that do not fit.
    """
    spec, faults = language.read(text)
    if spec is None:
        return Compiled(None, _in_order(faults))
    compiled = _compile(spec, variant, input, params or {})
    return Compiled(compiled.network, _in_order([*faults, *compiled.diagnostics]))


def _sound(compiled: Compiled) -> Network:
    if compiled.errors or compiled.network is None:
        raise ArchspecError(compiled.errors)
    return compiled.network


def _compile(
    spec: Spec, variant: str | None, input: Sizes | Mapping[str, Sizes] | None, overrides: Mapping[str, Any]
) -> Compiled:
    variant = variant or spec.default
    if variant is not None and variant not in spec.variants:
        raise fail(
            "unknown-variant",
            f"{spec.source.name} has no variant '{variant}'",
            help=did_you_mean(variant, spec.variants),
        )
    params = _params(spec, variant, overrides)
    built = build(spec, variant or spec.name, params, _input_types(spec, params, input))
    network = Network(spec, variant, built.graph)
    found = list(built.diagnostics)
    if not found and (expected := _expected(spec, variant)) and not overrides and input is None:
        found += expectations.failures(expected, params, built.graph, network.cost, network.costs, network.fields)
    return Compiled(network, tuple(found))


def _expected(spec: Spec, variant: str | None) -> Expected | None:
    return spec.expect or spec.expect_variants.get(variant or "")


def _params(spec: Spec, variant: str | None, overrides: Mapping[str, Any]) -> dict[str, Data]:
    """What each param is worth: given from outside, by the variant, or by default."""
    for name in overrides:
        if name not in spec.params:
            raise fail(
                "unknown-param",
                f"'{spec.name}' has no param '{name}'",
                help=did_you_mean(name, spec.params) or ("it has none" if not spec.params else None),
            )
    chosen = spec.variants[variant].params if variant else {}
    values: dict[str, Data] = {}
    for name, default in spec.params.items():
        values[name] = _data(overrides[name]) if name in overrides else chosen.get(name, default).evaluate(values)
    return values


def _data(value: Any) -> Data:
    """A Python value as a value of the language."""
    if isinstance(value, list | tuple):
        return tuple(_data(item) for item in value)
    if value is None or isinstance(value, int | float | bool | str):
        return value
    raise TypeError(f"a param is a number, a text, true, false or a list of them, not {type(value).__name__}")


def _input_types(
    spec: Spec, params: Mapping[str, Data], given: Sizes | Mapping[str, Sizes] | None
) -> dict[str, TensorType]:
    types = {declared.name: _input_type(declared, params) for declared in spec.inputs}
    if given is None:
        return types
    if not isinstance(given, Mapping):
        if len(types) > 1:
            raise fail(
                "wrong-input", f"'{spec.name}' has several inputs: {', '.join(types)}", help="name the one meant"
            )
        given = {next(iter(types)): given}
    for name, sizes in given.items():
        if name not in types:
            raise fail("wrong-input", f"'{spec.name}' has no input '{name}'", help=did_you_mean(name, types))
        if len(sizes) != len(types[name].sizes) or any(size < 1 for size in sizes):
            shown = "x".join(map(str, sizes))
            raise fail(
                "wrong-input",
                f"{shown} does not fit the input {types[name]}",
                help=f"give {len(types[name].sizes)} sizes, without the batch axis",
            )
        types[name] = TensorType(tuple(sizes), types[name].dtype)
    return types


def _input_type(declared: Input, params: Mapping[str, Data]) -> TensorType:
    sizes = declared.shape.evaluate(params)
    sizes = sizes if isinstance(sizes, tuple) else (sizes,)
    whole_sizes = [whole(size) if not isinstance(size, str | tuple | None) else None for size in sizes]
    if any(size is None or not 1 <= size <= 2**31 for size in whole_sizes):
        raise fail(
            "wrong-value",
            f"the shape of '{declared.name}' is whole numbers of at least 1, not {show(sizes)}",
            declared.shape.span,
            help="input: [channels, height, width]",
        )
    return TensorType(tuple(size for size in whole_sizes if size is not None), declared.dtype)


def _in_order(diagnostics: Any) -> tuple[Diagnostic, ...]:
    """Diagnostics as they stand in the file, those without a place last."""
    unique = dict.fromkeys(diagnostics)
    return tuple(
        sorted(unique, key=lambda d: (d.span is None, d.span.line if d.span else 0, d.span.column if d.span else 0))
    )
