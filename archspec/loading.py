"""Compiling specs given by name, by file or as text: `load`, `parse` and `check`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, TypedDict, Unpack

from archspec import expect_check, zoo
from archspec.diagnostics import ArchspecError, Diagnostic, Source, Span, did_you_mean, fail
from archspec.frontend.elaborate.budget import Total
from archspec.frontend.elaborate.builder import build
from archspec.frontend.elaborate.input_warnings import suspicious_inputs, unused_inputs
from archspec.frontend.elaborate.overrides import Sizes, settings
from archspec.frontend.expressions.values import Data
from archspec.frontend.expressions.work import shared_work
from archspec.frontend.language import fields, files
from archspec.frontend.language.numbering import unnumbered_structures
from archspec.frontend.language.op_registry import OpRegistry
from archspec.frontend.language.rename import rules_of
from archspec.frontend.language.spec import Spec
from archspec.frontend.language.unused import unused_in_spec
from archspec.frontend.limits import MAX_DIAGNOSTICS, MAX_ERRORS
from archspec.frontend.yaml import tree as yaml
from archspec.frozen import field, frozen, replace
from archspec.ir.graph import Graph
from archspec.lower.reserved_names import reserved_names
from archspec.network import Network
from archspec.passes.lint import lint

Folders = Iterable[str | Path]
Plugins = Iterable[str | ModuleType]


class CheckOptions(TypedDict, total=False):
    """How a spec is checked; see `load`."""

    input: Sizes | Mapping[str, Sizes] | None
    path: Folders
    plugins: Plugins
    params: Mapping[str, Any] | None


class LoadOptions(CheckOptions, total=False):
    """How a spec is compiled; see `load`."""

    rename: Mapping[str, str | None] | None
    freeze: Sequence[str]


@frozen(enforced=True)
class Compiled:
    """A compiled spec: the network without the layers that have errors, and all errors and warnings.

    `allowed` are the codes of warnings that the specs of imported networks allow, by the paths of these parts.
    """

    network: Network | None
    diagnostics: tuple[Diagnostic, ...]
    allowed: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "error")


def load(
    spec: str | Path,
    /,
    *,
    input: Sizes | Mapping[str, Sizes] | None = None,
    path: Folders = (),
    plugins: Plugins = (),
    params: Mapping[str, Any] | None = None,
    rename: Mapping[str, str | None] | None = None,
    freeze: Sequence[str] = (),
    **more: Any,
) -> Network:
    """Load the network of a spec: a file, `FILE:VARIANT`, or the name of a network in the zoo.

    Args:
        spec: what to load.
        path: folders to search for imports, after the folder of the file and before the zoo.
        plugins: modules that define ops, or their names; see archspec/PLUGINS.md.
        input: the shape of the input, without the batch axis; for several inputs a mapping by name. It replaces the
            shape in the spec.
        params: values for params of the spec, by name.
        rename: names of weights in checkpoints, and their names in the network, as in a spec's `rename`; these rules
            apply before those of the spec. An empty name removes a prefix: `{"net": ""}`.
        freeze: layers and parts, by their dotted names, whose weights are not trained, as `trainable: false` says.
        **more: more params, as keyword arguments: `classes=10`.

    Raises:
        ArchspecError: the spec has errors; the exception holds all of them.
    """
    params = _merge_params(params, more)
    return _without_errors(
        compile(spec, input=input, path=path, plugins=plugins, params=params, rename=rename, freeze=freeze)
    )


def compile(spec: str | Path, **options: Unpack[LoadOptions]) -> Compiled:
    """Compile a spec as far as its errors allow; see `load`.

    Raises:
        ArchspecError: nothing can be compiled: the file cannot be read, there is no such variant, or the params or the
            input do not fit the spec.
    """
    return compile_source(*read_spec(spec), **options)


def read_spec(spec: str | Path) -> tuple[Source, str | None]:
    """The text of a spec, and the variant that is meant; see `zoo.find`.

    Raises:
        ArchspecError: there is no such spec, or it cannot be read.
    """
    file, variant = zoo.find(spec)
    return yaml.read_file(file), variant


def constant(text: str, name: str) -> Data:
    """The value of a text as it would be in a spec without params; `name` is what errors call the text.

    Raises:
        ArchspecError: it has no value.
    """
    tree, errors = yaml.parse(Source(name, text))
    if errors:
        raise ArchspecError(errors)
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
    rename: Mapping[str, str | None] | None = None,
    freeze: Sequence[str] = (),
    **more: Any,
) -> Network:
    """Load the network of a spec given as text, which has no folder to import from; otherwise as `load`."""
    source = Source(name, text.removeprefix("\ufeff"))
    options = LoadOptions(
        input=input, path=path, plugins=plugins, params=_merge_params(params, more), rename=rename, freeze=freeze,
    )  # fmt: skip
    return _without_errors(compile_source(source, variant, **options))


def check(spec: str | Path, **options: Unpack[CheckOptions]) -> tuple[Diagnostic, ...]:
    """All errors and warnings of a spec and of its imports, in all its variants unless one is named.

    A spec with variants and no default is checked without a variant, too: that is what `load` builds if none is named.
    The spec can be a file of blocks, too. The options are those of `load`; with other params or another input, its
    `expect` is not checked.
    """
    try:
        return check_source(*read_spec(spec), **options)
    except ArchspecError as error:
        return error.diagnostics


@shared_work()
def check_source(source: Source, variant: str | None = None, **options: Unpack[CheckOptions]) -> tuple[Diagnostic, ...]:
    """Check a text, as `check` does."""
    folders, registry = _import_folders(options.get("path", ())), OpRegistry(options.get("plugins", ()))
    spec, errors = files.read(source, folders, registry)
    if spec is None:
        of_blocks = files.library_errors(source, folders, registry) if variant is None else None
        return _sorted(errors if of_blocks is None else of_blocks, source)
    without = [None] if spec.default is None else []
    variants: list[str | None] = [variant] if variant else [*without, *spec.variants] or [None]
    merged = [*errors, *_merge_variants(_check_variants(spec, errors, variants, options), len(variants), spec)]
    if all(diagnostic.severity == "warning" for diagnostic in merged):
        warnings = (*unused_in_spec(spec), *unnumbered_structures(spec.layers, spec.blocks))
        merged += (warning for warning in warnings if warning.code not in spec.allowed)
    return _sorted(merged, source)


def _check_variants(
    spec: Spec, errors: Sequence[Diagnostic], variants: Sequence[str | None], options: CheckOptions
) -> Iterator[tuple[str | None, Diagnostic]]:
    """The errors and warnings of each variant, as far as all together stay within the limits of one check.

    `errors` are those found when the spec was read.
    """
    total = Total()
    for number, variant in enumerate(variants):
        total.steps += len(spec.params)
        for diagnostic in _check_variant(spec, errors, variant, options, total if len(variants) > 1 else None):
            total.steps += _STEPS_OF_ERROR if diagnostic.severity == "error" else 0
            yield variant, diagnostic
        if total.exceeded:
            variant = variant or next(iter(spec.variants))
            source, span = spec.source.name, spec.variants[variant].span
            checked, count = sum(name is not None for name in variants[:number]), len(spec.variants)
            message = f"only {checked} of {count} variants were checked: all of them together are too large"
            help = f"check the others one at a time: archspec check {source}:{variant}"
            yield variant, Diagnostic("too-large", message, span, help=help)
            return


_STEPS_OF_ERROR = 200
"""The steps of building a graph that take about as long as an error with its suggestions."""


def _check_variant(
    spec: Spec, errors: Sequence[Diagnostic], variant: str | None, options: CheckOptions, total: Total | None
) -> Iterator[Diagnostic]:
    try:
        compiled = _compile(spec, errors, variant, options.get("input"), options.get("params") or {}, total)
    except ArchspecError as error:
        yield from error.diagnostics
        return
    if total is not None and total.exceeded:
        return
    yield from compiled.diagnostics
    if compiled.network is not None:
        has_errors = bool(errors or compiled.diagnostics)
        in_parts = _allowed_in_parts(compiled.network.graph, compiled.allowed) if compiled.allowed else ()
        for warning in _warnings(compiled.network, has_errors=has_errors):
            if warning.code not in spec.allowed and (warning.code, warning.span) not in in_parts:
                yield warning


def _allowed_in_parts(graph: Graph, allowed: Mapping[str, frozenset[str]]) -> set[tuple[str, Span | None]]:
    """The warnings, by code and position, that are allowed where they are: about layers inside parts alone."""
    found: set[tuple[str, Span | None]] = set()
    elsewhere: set[tuple[str, Span | None]] = set()
    codes = frozenset[str]().union(*allowed.values())
    for node in graph.nodes:
        inside = [allowed[path] for path in allowed if node.name.startswith(f"{path}.")]
        for code in codes:
            (found if any(code in each for each in inside) else elsewhere).add((code, node.span))
    return found - elsewhere


def _warnings(network: Network, *, has_errors: bool) -> Iterator[Diagnostic]:
    """The warnings about a network; if it has errors, only those that may explain them."""
    if network.spec is not None:
        yield from suspicious_inputs(network.spec, network.graph)
    if not has_errors:
        yield from lint(network.facts)
        yield from reserved_names(network.graph)
        if any(node.owner is not None for node in network.graph.nodes):
            from archspec.lower.unequal_shares import unequal_shares  # here, since few networks share weights

            yield from unequal_shares(network.graph)
        if network.spec is not None:
            yield from unused_inputs(network.spec, network.graph)


def _merge_variants(
    diagnostics: Iterable[tuple[str | None, Diagnostic]], variants: int, spec: Spec
) -> Iterator[Diagnostic]:
    """Each diagnostic once, with a note that names its variants if it does not concern all `variants` of them."""
    merged: dict[object, tuple[Diagnostic, dict[str | None, None]]] = {}
    for variant, diagnostic in diagnostics:
        key = (diagnostic.code, diagnostic.span) if diagnostic.span else diagnostic
        merged.setdefault(key, (diagnostic, {}))[1][variant] = None
    for diagnostic, names in merged.values():
        if len(names) == variants or (diagnostic.code == "expectation-failed" and spec.expect is None):
            yield diagnostic
        else:
            yield replace(diagnostic, notes=(*diagnostic.notes, (_note(list(names)),)))


def _note(variants: Sequence[str | None]) -> str:
    """Which variants a diagnostic concerns, if not all; None for no variant, which comes first."""
    names = [name for name in variants if name is not None]
    if not names:
        return "only without a variant; `default` names the one to use if none is given"
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    without = "without a variant and " if None in variants else ""
    return f"only {without}in the variant{'s' if len(names) > 1 else ''} {shown}"


@shared_work()
def compile_source(source: Source, variant: str | None = None, **options: Unpack[LoadOptions]) -> Compiled:
    """Compile a text, as `compile` does.

    Raises:
        ArchspecError: nothing can be compiled: there is no such variant, or the params or the input do not fit.
    """
    folders, registry = _import_folders(options.get("path", ())), OpRegistry(options.get("plugins", ()))
    spec, errors = files.read(source, folders, registry)
    if spec is None:
        return Compiled(None, _sorted(errors, source))
    if rename := options.get("rename"):
        spec = replace(spec, rename=(*rules_of(rename, "rename"), *spec.rename))
    compiled = _compile(spec, errors, variant, options.get("input"), options.get("params") or {})
    network = compiled.network
    if (names := options.get("freeze")) and network is not None and not (errors or compiled.errors):
        from archspec.ir.freezing import freeze  # here, since few networks need it

        graph = freeze(network.graph, [names] if isinstance(names, str) else names)
        compiled = replace(compiled, network=Network(network.spec, network.variant, graph, network.overrides))
    return Compiled(compiled.network, _sorted([*errors, *compiled.diagnostics], source))


def _import_folders(path: Folders) -> tuple[Path, ...]:
    """The folders to search for imports after that of the file: those of `path`, then the zoo.

    Raises:
        ArchspecError: one of them does not exist.
    """
    folders = tuple(map(Path, [path] if isinstance(path, str | Path) else path))  # a single folder is accepted, too
    for folder in folders:
        if not folder.is_dir():
            raise fail("unreadable-file", f"there is no folder {folder}", help="imports are searched for in folders")
    return (*folders, zoo.folder())


def _merge_params(params: Mapping[str, Any] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """The params of both mappings.

    Raises:
        ArchspecError: one is in both.
    """
    duplicate = next((name for name in more if name in (params or {})), None)
    if duplicate is not None:
        raise fail("wrong-value", f"the param '{duplicate}' is given twice", help="remove one of the values")
    return {**(params or {}), **more}


def _without_errors(compiled: Compiled) -> Network:
    """The compiled network.

    Raises:
        ArchspecError: there are errors.
    """
    if compiled.errors or compiled.network is None:
        raise ArchspecError(compiled.errors)
    return compiled.network


def _compile(
    spec: Spec,
    errors: Sequence[Diagnostic],
    variant: str | None,
    input: Sizes | Mapping[str, Sizes] | None,
    overrides: Mapping[str, Any],
    total: Total | None = None,
) -> Compiled:
    """Compile a variant of a spec. What the spec expects is checked only if it was read and built without errors.

    `total` is what the same check has used for other variants.
    """
    variant = spec.default if variant is None else variant
    if variant is not None and variant not in spec.variants:
        message = f"{spec.source.name} has no variant '{variant}'"
        raise fail("unknown-variant", message, help=did_you_mean(variant, spec.variants))
    chosen = settings(spec, variant, overrides, input)
    built = build(spec, variant or spec.name, chosen, total)
    if built.rename:
        spec = replace(spec, rename=(*spec.rename, *built.rename))
    network = Network(spec, variant, built.graph, overrides)
    diagnostics = list(built.diagnostics)
    expected = spec.expect or spec.expect_variants.get(variant or "")
    if expected and not (diagnostics or errors or overrides) and input is None:
        diagnostics += islice(expect_check.failures(expected, chosen.params, network.facts), MAX_ERRORS)
    return Compiled(network, tuple(diagnostics), built.allowed)


def _sorted(diagnostics: Iterable[Diagnostic], source: Source) -> tuple[Diagnostic, ...]:
    """Diagnostics by position: those in the spec, then those in its imports, then those without a position.

    Equal errors are merged, and so are warnings with the same code and position. If there are more than the limit, the
    last ones are counted only, warnings before errors.
    """
    unique: dict[object, Diagnostic] = {}
    for diagnostic in diagnostics:
        is_warning = diagnostic.severity == "warning" and diagnostic.span
        key = (diagnostic.code, diagnostic.span) if is_warning else diagnostic
        unique.setdefault(key, diagnostic)
    ordered = sorted(unique.values(), key=lambda diagnostic: _position(diagnostic.span, source))
    if len(ordered) <= MAX_DIAGNOSTICS:
        return tuple(ordered)
    by_severity = sorted(ordered, key=lambda diagnostic: diagnostic.severity == "warning")
    shown = set(map(id, by_severity[:MAX_DIAGNOSTICS]))
    omitted = by_severity[MAX_DIAGNOSTICS:]
    return (*(each for each in ordered if id(each) in shown), *_counts(omitted))


def _counts(omitted: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """How many errors and warnings are not reported, each under the code of the first of them."""
    for severity in ("error", "warning"):
        kind = [diagnostic for diagnostic in omitted if diagnostic.severity == severity]
        if kind:
            message = f"and {len(kind):,} more {severity}{'' if len(kind) == 1 else 's'}"
            yield Diagnostic(kind[0].code, message, help="correct those above first; then check again")


def _position(span: Span | None, source: Source) -> tuple[int, str, int, int]:
    if span is None:
        return 2, "", 0, 0
    return (0, "", span.line, span.column) if span.source is source else (1, span.source.name, span.line, span.column)
