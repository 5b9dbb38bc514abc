"""Warnings about what a spec or a file of blocks names and never uses: params, arguments, blocks and imports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from archspec.diagnostics import Diagnostic, Source, Span
from archspec.frontend.expressions.templates import Placeholder
from archspec.frontend.language import fields
from archspec.frontend.language.fields import Field, TemplateField
from archspec.frontend.language.free_names import bound_names, free_names, inner_names, iterations_of, steps_in
from archspec.frontend.language.identifiers import ENTRY, PREVIOUS
from archspec.frontend.language.spec import Block, Body, CallStep, Library, Spec
from archspec.frontend.yaml import tree as yaml
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar

Blocks = Mapping[str, Block]


def unused_in_spec(spec: Spec) -> Iterator[Diagnostic]:
    """The warnings about a spec without errors, and about the blocks of the files it imports.

    What `expect` reads does not count, since it changes nothing in the network.
    """
    blocks = _readable(spec.blocks)
    read = free_names(spec.layers).union(
        *(output.source.names | output.name.names for output in spec.outputs),
        *(declared.shape.names for declared in spec.inputs),
        *(field.names for variant in spec.variants.values() for field in variant.params.values()),
        *(field.names for inits in spec.initializers.values() for init in inits.values()
          for field in init.options.values()),
    )  # fmt: skip
    yield from _unused_params(spec.source, spec.params, read, blocks.values(), spec.imports.values())
    yield from _unused_variables(spec.layers)
    yield from _unused_blocks(spec.layers, blocks)
    yield from _unused_imports(spec.imported, [spec.layers, *(block.layers for block in blocks.values())])
    yield from _unused_in_blocks(spec.source, blocks)
    for library in _libraries(spec.imported):
        yield from _unused_in_blocks(library.source, _readable(library.blocks))


def unused_in_library(library: Library) -> Iterator[Diagnostic]:
    """The warnings about a file of blocks without errors, and about the blocks of the files it imports."""
    blocks = _readable(library.blocks)
    params = {key.text: fields.value(item) for key, item in _entries(_tree(library.source), "params")}
    yield from _unused_params(library.source, params, set(), blocks.values(), library.imports.values())
    yield from _unused_imports(library.imported, [block.layers for block in blocks.values()])
    for each in (library, *_libraries(library.imported)):
        yield from _unused_in_blocks(each.source, _readable(each.blocks))


def _unused_params(
    source: Source, params: Mapping[str, Field], read: set[str], blocks: Iterable[Block], imports: Iterable[Library]
) -> Iterator[Diagnostic]:
    """The warnings about params that neither `read` has, nor a block or another param reads."""
    read = read.union(
        *(_names_of_block(block) - block.arguments.keys() - block.inputs.keys() for block in blocks),
        *(field.names - {name} for name, field in params.items()),
    )
    spans = {key.text: key.span for key, _ in _entries(_tree(source), "params")} if params.keys() - read else {}
    for name in params:
        if name not in read and name in spans:
            help = "use it in an expression, or remove it"
            if any(name in library.params for library in imports):
                help = "imported blocks use the params of their own file; pass them the value as an argument"
            yield Diagnostic("unused-param", f"the param '{name}' is never used", spans[name], help=help)


def _unused_in_blocks(source: Source, blocks: Blocks) -> Iterator[Diagnostic]:
    """The warnings about arguments that their blocks never use, and about variables of iterations."""
    unused = {name: block.arguments.keys() - _names_of_block(block) for name, block in blocks.items()}
    definitions = _entries(_tree(source), "blocks") if any(unused.values()) else ()
    for key, definition in definitions:
        arguments = definition.get("args") if isinstance(definition, YamlMapping) else None
        for argument, span in _names_in(arguments) if unused.get(key.text) else ():
            if argument in unused[key.text]:
                message = f"'{key.text}' never uses its argument '{argument}'"
                help = "use it in an expression, or remove it"
                if argument in _COMMON_ATTRIBUTES:
                    help = f"use it in an expression, as in - conv: {{{argument}: {argument}}}, or remove it"
                yield Diagnostic("unused-argument", message, span, help=help)
    for block in blocks.values():
        yield from _unused_inputs(block)
        yield from _unused_variables(block.layers)


def _unused_inputs(block: Block) -> Iterator[Diagnostic]:
    """The warnings about inputs that nothing in a block reads, as far as its references are not computed."""
    references = [source for step in steps_in(block.layers) for source in step.sources or ()]
    references += [output.source for output in block.outputs]
    if not block.inputs or any(reference.constant is None for reference in references):
        return
    read = {(reference.constant or "").partition(".")[0] for reference in references} | _names_of_block(block)
    entry = next(iter(block.inputs))  # the first layer reads it, unless that names others
    if ENTRY in read or PREVIOUS in read or not block.layers or block.layers[0].sources is None:
        read.add(entry)
    for name, span in block.inputs.items():
        if name not in read:
            message, help = f"'{block.name}' never reads its input '{name}'", "name it in a `from`, or remove it"
            yield Diagnostic("unused-input", message, span, help=help)


_COMMON_ATTRIBUTES = ("channels", "kernel", "stride", "padding", "dilation", "groups", "bias")


def _unused_variables(body: Body) -> Iterator[Diagnostic]:
    """The warnings about the entries of iterations that nothing inside reads; `_` marks those that are not needed."""
    for step in steps_in(body):
        iterations = iterations_of(step)
        if iterations is None or not iterations.targets:
            continue
        read = inner_names(step, iterations)
        for name in bound_names(iterations):
            if name not in read and not name.startswith("_"):
                message = f"the layers never use '{name}', which each iteration sets"
                help = f"use it in an expression, or call it _{name}"
                yield Diagnostic("unused-variable", message, iterations.span, help=help)


# --- blocks and imports ---------------------------------------------------------------------------------------------


def _unused_blocks(layers: Body, blocks: Blocks) -> Iterator[Diagnostic]:
    """The warnings about blocks that no layer needs: of blocks that call one another, about the first."""
    calls = {name: _callees(block.layers) & blocks.keys() for name, block in blocks.items()}
    may_be_called = _computed_callees([layers, *(block.layers for block in blocks.values())])
    reached = _reachable((_callees(layers) & blocks.keys()) | {name for name in blocks if may_be_called(name)}, calls)
    left = [name for name in blocks if name not in reached]
    inner = {callee for name in left for callee in calls[name] if callee != name}
    for name in (*(name for name in left if name not in inner), *left):
        if name not in reached:
            reached |= _reachable([name], calls)
            message = f"the block '{name}' is never called"
            yield Diagnostic("unused-block", message, blocks[name].span, help="call it, or remove it")


def _reachable(names: Iterable[str], calls: Mapping[str, set[str]]) -> set[str]:
    """These blocks and all that they call."""
    reached, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += calls[name]
    return reached


def _unused_imports(imported: Sequence[tuple[YamlScalar, Library]], bodies: Sequence[Body]) -> Iterator[Diagnostic]:
    """The warnings about imported files whose blocks or networks are never called."""
    if not imported:
        return
    called = set[str]().union(*map(_callees, bodies))
    may_be_called = _computed_callees(bodies)
    for entry, library in imported:
        if called.isdisjoint(library.blocks) and not any(map(may_be_called, library.blocks)):
            message = f"no block of '{entry.text}' is called"
            if library.network is not None:
                message = f"the network of '{entry.text}' is never used"
            yield Diagnostic("unused-import", message, entry.span, help="remove the import")


def _callees(body: Body) -> set[str]:
    """The names that a body calls, as far as they are not computed."""
    callees = (step.callee.constant for step in steps_in(body) if isinstance(step, CallStep))
    return {name for name in callees if name is not None}


def _computed_callees(bodies: Iterable[Body]) -> Callable[[str], object]:
    """Whether a computed name in some bodies may be that of a block."""
    steps = (step for body in bodies for step in steps_in(body))
    callees = (step.callee for step in steps if isinstance(step, CallStep) and step.callee.constant is None)
    patterns = list({_pattern(callee) for callee in callees})
    if len(patterns) > _MOST_PATTERNS:
        return lambda name: True
    return re.compile("|".join(patterns)).fullmatch if patterns else lambda name: False


_MOST_PATTERNS = 50


def _pattern(callee: TemplateField) -> str:
    """What the computed name of a block can be, as a regular expression."""
    return "".join(r"\w*" if isinstance(part, Placeholder) else re.escape(part) for part in callee.pattern.parts)


# --- names and where they are ---------------------------------------------------------------------------------------


def _names_of_block(block: Block) -> set[str]:
    """The names that a block reads, in its layers and in the defaults of its arguments."""
    defaults = ((name, default) for name, default in block.arguments.items() if default is not None)
    returned = (field.names for output in block.outputs for field in (output.name, output.source))
    return free_names(block.layers).union(*(default.names - {name} for name, default in defaults), *returned)


def _readable(blocks: Mapping[str, Block | None]) -> Blocks:
    return {name: block for name, block in blocks.items() if block is not None}


def _libraries(imported: Iterable[tuple[YamlScalar, Library]]) -> list[Library]:
    """The imported files of blocks and those that they import, each once; a network is checked as a spec of its own."""
    libraries: dict[Library, None] = {}
    waiting = [library for _, library in imported]
    while waiting:
        library = waiting.pop()
        if library not in libraries and library.network is None:
            libraries[library] = None
            waiting += [inner for _, inner in library.imported]
    return list(libraries)


def _tree(source: Source) -> Tree:
    return yaml.parse(source)[0]


def _entries(tree: Tree, key: str) -> tuple[tuple[YamlScalar, Tree], ...]:
    """The entries of the mapping under a key, if there is one."""
    under = tree.get(key) if isinstance(tree, YamlMapping) else None
    return under.entries if isinstance(under, YamlMapping) else ()


def _names_in(tree: Tree | None) -> Iterator[tuple[str, Span]]:
    """The names in a list, or the keys of a mapping, and their positions."""
    keys: Iterable[Tree] = ()
    if isinstance(tree, YamlList):
        keys = tree.items
    elif isinstance(tree, YamlMapping):
        keys = [key for key, _ in tree.entries]
    return ((key.text, key.span) for key in keys if isinstance(key, YamlScalar))
