"""From a name, a file or a text to a network: `load`, `parse` and `check`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archspec import expectations, zoo
from archspec.diagnostics import ArchspecError, Diagnostic, Source, did_you_mean, fail
from archspec.frontend import language, source, written
from archspec.frontend.build import build
from archspec.frontend.spec import Expected, Input, Spec
from archspec.frontend.values import Data, show, whole
from archspec.ir.types import TensorType
from archspec.network import Network
from archspec.passes.advice import advice

Sizes = Sequence[int]


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
    return _sound(compile(spec, input=input, params=params))


def compile(
    spec: str | Path,
    *,
    input: Sizes | Mapping[str, Sizes] | None = None,
    params: Mapping[str, Any] | None = None,
) -> Compiled:
    """A spec compiled as far as it goes; see `load`.

    Raises:
        ArchspecError: it does not go at all: no such file, no YAML, no such variant, params or input that do not fit.
    """
    path, variant = zoo.find(spec)
    return compile_source(source.read_file(path), variant, input=input, params=params)


def catalogue() -> Iterator[dict[str, str]]:
    """The zoo: `name`, `spec` and `summary` of every network in it."""
    for path in zoo.files():
        spec, _ = language.read(source.read_file(path))
        assert spec is not None, path
        file = path.relative_to(zoo.folder()).as_posix()
        for variant in spec.variants.values():
            yield {"name": variant.name, "spec": file, "summary": variant.summary or spec.summary}
        if not spec.variants:
            yield {"name": spec.name, "spec": file, "summary": spec.summary}


def constant(text: str, name: str) -> Data:
    """The value a text stands for in a spec, where no names are defined.

    Raises:
        ArchspecError: it stands for none.
    """
    tree, faults = source.parse(Source(name, text))
    if faults:
        raise ArchspecError(faults)
    return written.value(tree).evaluate({})


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
        return _in_order(faults)
    variants: list[str | None] = [variant] if variant else [*spec.variants] or [None]
    found = list(faults)
    for name in variants:
        try:
            compiled = _compile(spec, name, None, {})
            found += compiled.diagnostics
            if not (faults or compiled.diagnostics) and compiled.network is not None:
                found += (each for each in advice(compiled.network.facts) if each.code not in spec.allowed)
        except ArchspecError as error:
            found += error.diagnostics
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
        found += expectations.failures(expected, params, network.facts)
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


def _in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics as they stand in the file, those without a place last.

    Each mistake comes once; so does each kind of warning at one place, however often it is expanded there.
    """
    unique: dict[object, Diagnostic] = {}
    for found in diagnostics:
        key = (found.code, found.span) if found.severity == "warning" and found.span else found
        unique.setdefault(key, found)
    return tuple(sorted(unique.values(), key=_place))


def _place(found: Diagnostic) -> tuple[bool, int, int]:
    return (False, found.span.line, found.span.column) if found.span else (True, 0, 0)
