"""From a name, a file or a text to a network: `load`, `parse` and `check`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from archspec import expect_check, zoo
from archspec.diagnostics import ArchspecError, Diagnostic, Source, Span, did_you_mean, fail
from archspec.frontend.elaborate.builder import build
from archspec.frontend.elaborate.overrides import Sizes, settings, suspicious_inputs
from archspec.frontend.expressions.values import Data
from archspec.frontend.language import document, fields, imports
from archspec.frontend.language.op_registry import OpRegistry
from archspec.frontend.language.spec import Expected, Spec
from archspec.frontend.yaml import tree as yaml
from archspec.lower.torch.module_names import reserved_names
from archspec.network import Network
from archspec.passes.lint import lint

Folders = Iterable[str | Path]
Plugins = Iterable[str | ModuleType]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A spec compiled as far as it goes: the network without what is wrong, and every mistake and warning."""

    network: Network | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(found for found in self.diagnostics if found.severity == "error")


def load(
    spec: str | Path,
    /,
    *,
    input: Sizes | Mapping[str, Sizes] | None = None,
    path: Folders = (),
    plugins: Plugins = (),
    params: Mapping[str, Any] | None = None,
    **more: Any,
) -> Network:
    """The network of a spec: a file, `FILE:VARIANT`, or a name in the zoo.

    Args:
        spec: what to load.
        path: folders to look for imports in, after that of the file and before the zoo.
        plugins: modules, or their names, that bring ops of their own; see archspec/PLUGINS.md.
        input: another shape for the input, without the batch axis; for several inputs a mapping by name.
        params: other values for the spec's params by name, whatever they are called.
        **more: the same for those that are called otherwise than what stands above: `classes=10`.

    Raises:
        ArchspecError: the spec has mistakes; the exception carries all of them.
    """
    return _sound(compile(spec, input=input, path=path, plugins=plugins, params=_together(params, more)))


def compile(
    spec: str | Path,
    *,
    input: Sizes | Mapping[str, Sizes] | None = None,
    path: Folders = (),
    plugins: Plugins = (),
    params: Mapping[str, Any] | None = None,
) -> Compiled:
    """A spec compiled as far as it goes; see `load`.

    Raises:
        ArchspecError: it does not go at all: no such file, no YAML, no such variant, params or input that do not fit.
    """
    text, variant = opened(spec)
    return compile_source(text, variant, input=input, path=path, plugins=plugins, params=params)


def opened(spec: str | Path) -> tuple[Source, str | None]:
    """The text of a spec, and the variant meant; see `zoo.find`.

    Raises:
        ArchspecError: there is no such spec, or it cannot be read.
    """
    file, variant = zoo.find(spec)
    return yaml.read_file(file), variant


def catalogue(group: str = "") -> Iterator[dict[str, str]]:
    """The zoo, or a group of it: `name`, `spec` and `summary` of everything in it."""
    for path in zoo.files(group):
        spec, _ = document.read(yaml.read_file(path), [zoo.folder()])
        assert spec is not None, path
        file = path.relative_to(zoo.folder()).as_posix()
        summaries = {variant.name: variant.summary for variant in spec.variants.values()} or {spec.name: None}
        for variant, summary in summaries.items():
            name = zoo.name_of(path, spec.name, variant)
            yield {"name": name, "spec": file, "summary": summary or spec.summary}


def constant(text: str, name: str) -> Data:
    """The value a text stands for in a spec, where no names are defined.

    Raises:
        ArchspecError: it stands for none.
    """
    tree, faults = yaml.parse(Source(name, text))
    if faults:
        raise ArchspecError(faults)
    return fields.value(tree).evaluate({})


def parse(
    text: str,
    /,
    *,
    name: str = "<spec>",
    variant: str | None = None,
    input: Sizes | Mapping[str, Sizes] | None = None,
    path: Folders = (),
    plugins: Plugins = (),
    params: Mapping[str, Any] | None = None,
    **more: Any,
) -> Network:
    """The network of a spec given as text, which has no folder to import from; otherwise as `load`."""
    whole = Source(name, text.removeprefix("\ufeff"))
    given = _together(params, more)
    return _sound(compile_source(whole, variant, input=input, path=path, plugins=plugins, params=given))


def check(spec: str | Path, *, path: Folders = (), plugins: Plugins = ()) -> tuple[Diagnostic, ...]:
    """Every mistake and warning of a spec and of what it imports, in all its variants unless one is named.

    A file of blocks can be checked too. `path` are folders to look for imports in; see `load`.
    """
    try:
        text, variant = opened(spec)
        return check_source(text, variant, path=path, plugins=plugins)
    except ArchspecError as error:
        return error.diagnostics


def check_source(
    text: Source, variant: str | None = None, *, path: Folders = (), plugins: Plugins = ()
) -> tuple[Diagnostic, ...]:
    """As `check`, of a text."""
    folders, vocabulary = _folders(path), OpRegistry(plugins)
    spec, faults = document.read(text, folders, vocabulary)
    if spec is None:
        of_blocks = imports.mistakes(text, folders, vocabulary) if variant is None else None
        return _in_order(faults if of_blocks is None else of_blocks, text)
    variants: list[str | None] = [variant] if variant else [*spec.variants] or [None]
    found = [(name, each) for name in variants for each in _checked(spec, faults, name)]
    return _in_order([*faults, *_merged(found, len(variants), spec)], text)


def _checked(spec: Spec, faults: Sequence[Diagnostic], variant: str | None) -> Iterator[Diagnostic]:
    """The mistakes and warnings of one variant."""
    try:
        compiled = _compile(spec, faults, variant, None, {})
    except ArchspecError as error:
        yield from error.diagnostics
        return
    yield from compiled.diagnostics
    if compiled.network is not None:
        sound = not (faults or compiled.diagnostics)
        yield from (each for each in _warnings(compiled.network, sound=sound) if each.code not in spec.allowed)


def _warnings(network: Network, *, sound: bool) -> Iterator[Diagnostic]:
    """Advice about a network; of one with mistakes only what may be the cause of them."""
    if network.spec is not None:
        yield from suspicious_inputs(network.spec, network.graph.inputs)
    if sound:
        yield from lint(network.facts)
        yield from reserved_names(network.graph)


def _merged(found: Iterable[tuple[str | None, Diagnostic]], variants: int, spec: Spec) -> Iterator[Diagnostic]:
    """What is said of each place once, with a note that names the variants it is said of if there are others."""
    merged: dict[object, tuple[Diagnostic, dict[str | None, None]]] = {}
    for variant, each in found:
        key = (each.code, each.span) if each.span else each
        merged.setdefault(key, (each, {}))[1][variant] = None
    for each, names in merged.values():
        if len(names) == variants or (each.code == "expectation-failed" and spec.expect is None):
            yield each
        else:
            shown = ", ".join(map(str, list(names)[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            yield replace(each, notes=(*each.notes, (f"only in the variant{'s' if len(names) > 1 else ''} {shown}",)))


def compile_source(
    text: Source, variant: str | None = None, *, input: Sizes | Mapping[str, Sizes] | None = None,
    path: Folders = (), plugins: Plugins = (), params: Mapping[str, Any] | None = None,
) -> Compiled:  # fmt: skip
    """A spec compiled as far as it goes.

    Raises:
        ArchspecError: it does not go at all: no YAML, no such variant, params or input that do not fit.
    """
    spec, faults = document.read(text, _folders(path), OpRegistry(plugins))
    if spec is None:
        return Compiled(None, _in_order(faults, text))
    compiled = _compile(spec, faults, variant, input, params or {})
    return Compiled(compiled.network, _in_order([*faults, *compiled.diagnostics], text))


def _folders(path: Folders) -> tuple[Path, ...]:
    """The folders imports come from beside that of the file: those given, and the zoo.

    Raises:
        ArchspecError: there is no such folder.
    """
    given = tuple(map(Path, [path] if isinstance(path, str | Path) else path))  # one folder is meant as one
    for folder in given:
        if not folder.is_dir():
            raise fail("unreadable-file", f"there is no folder {folder}", help="imports come from folders")
    return (*given, zoo.folder())


def _together(params: Mapping[str, Any] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """Values for params, given by name in either way.

    Raises:
        ArchspecError: one is given in both.
    """
    twice = next((name for name in more if name in (params or {})), None)
    if twice is not None:
        raise fail("wrong-value", f"the param '{twice}' is given twice", help="leave one of them out")
    return {**(params or {}), **more}


def _sound(compiled: Compiled) -> Network:
    if compiled.errors or compiled.network is None:
        raise ArchspecError(compiled.errors)
    return compiled.network


def _compile(
    spec: Spec,
    faults: Sequence[Diagnostic],
    variant: str | None,
    input: Sizes | Mapping[str, Sizes] | None,
    overrides: Mapping[str, Any],
) -> Compiled:
    """A variant of a spec that was read with some faults; what it expects is only checked where there are none."""
    variant = spec.default if variant is None else variant
    if variant is not None and variant not in spec.variants:
        message = f"{spec.source.name} has no variant '{variant}'"
        raise fail("unknown-variant", message, help=did_you_mean(variant, spec.variants))
    chosen = settings(spec, variant, overrides, input)
    built = build(spec, variant or spec.name, chosen)
    network = Network(spec, variant, built.graph, overrides)
    found = list(built.diagnostics)
    if not found and not faults and (expected := _expected(spec, variant)) and not overrides and input is None:
        found += expect_check.failures(expected, chosen.params, network.facts)
    return Compiled(network, tuple(found))


def _expected(spec: Spec, variant: str | None) -> Expected | None:
    return spec.expect or spec.expect_variants.get(variant or "")


def _in_order(diagnostics: Iterable[Diagnostic], text: Source) -> tuple[Diagnostic, ...]:
    """Diagnostics as they stand in the spec, then in what it imports; those without a place last.

    Each mistake comes once; so does each kind of warning at one place, however often it is expanded there.
    """
    unique: dict[object, Diagnostic] = {}
    for found in diagnostics:
        key = (found.code, found.span) if found.severity == "warning" and found.span else found
        unique.setdefault(key, found)
    return tuple(sorted(unique.values(), key=lambda found: _place(found.span, text)))


def _place(span: Span | None, text: Source) -> tuple[int, str, int, int]:
    if span is None:
        return 2, "", 0, 0
    return (0, "", span.line, span.column) if span.source is text else (1, span.source.name, span.line, span.column)
