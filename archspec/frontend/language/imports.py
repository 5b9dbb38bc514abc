"""Imports: the files that a spec imports, of blocks or of networks, are located and read into libraries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

from archspec.diagnostics import ArchspecError, Diagnostic, Source, Span, fail
from archspec.frontend.language.common import SHARED, names_under, without_recursion
from archspec.frontend.language.document import spec_of
from archspec.frontend.language.op_registry import OpRegistry
from archspec.frontend.language.params import default_values
from archspec.frontend.language.reader import Keys, Reader, describe
from archspec.frontend.language.search_path import locate
from archspec.frontend.language.spec import Block, Imported, Library, Spec
from archspec.frontend.language.steps import SpecReader
from archspec.frontend.language.structures import CONSTRUCTS
from archspec.frontend.limits import MAX_IMPORT_DEPTH, MAX_IMPORTS
from archspec.frontend.yaml import tree as yaml
from archspec.frontend.yaml.tree import Tree, Used, YamlList, YamlMapping, YamlScalar
from archspec.frozen import replace

LIBRARY: Keys = {**SHARED, "blocks": replace(SHARED["blocks"], required=True)}
"""The keys of a file of blocks."""


class Imports:
    """Reads what one spec imports: each file once, and all of them within the limits on one spec.

    Args:
        folders: where files are searched, after the folder of the file that imports them.
        vocabulary: the ops the files may use.
    """

    def __init__(self, folders: Sequence[Path], vocabulary: OpRegistry) -> None:
        self.folders = tuple(folders)
        self.vocabulary = vocabulary
        self.used = Used()
        self.diagnostics: list[Diagnostic] = []
        self._libraries: dict[Path, Library | None] = {}
        self._names: dict[Path | None, str] = {}
        """The files that are being read, from the outermost, with their names in messages."""
        self._imports: dict[Path | None, dict[Path, YamlScalar]] = {}
        """The files each file imports, with the entry of `import` that names each."""

    def spec(self, source: Source, tree: Tree) -> Imported:
        """What a spec imports. Errors are added to the diagnostics."""
        real = _real(source.path)
        self._names[real] = source.name
        imported = self._imported(source, tree, real)
        self._names.popitem()
        return imported

    def library(self, source: Source) -> Library | None:
        """A file of blocks that no other file imports. Errors are added to the diagnostics."""
        real = _real(source.path)
        self._names[real] = source.name
        library = self._read(source, real)
        self._names.popitem()
        return library

    def _imported(self, source: Source, tree: Tree, real: Path | None) -> Imported:
        entry = tree.get("import") if isinstance(tree, YamlMapping) else None
        if entry is None:
            return Imported({})
        reader = Reader()
        libraries: dict[str, Library] = {}
        entries: list[tuple[YamlScalar, Library]] = []
        self._imports[real] = {}
        imported = partial(self._import, source=source, importer=real)
        names = entry.items if isinstance(entry, YamlList) else (entry,)
        if not names:
            help = "name a file, such as blocks/residual.yaml"
            reader.note("wrong-value", "'import' is an empty list", entry.span, help=help)
        complete = bool(names)
        for item in names:
            name = reader.attempt(partial(reader.scalar, "the name of a file"), item)
            library = reader.attempt(imported, name) if name is not None else None
            if name is None or library is None:
                complete = False
            else:
                entries.append((name, library))
                self._add_blocks(reader, library, name, _blocks_of(tree), libraries)
        self.diagnostics += reader.diagnostics
        return Imported(libraries, complete, tuple(entries))

    def _add_blocks(
        self,
        reader: Reader,
        library: Library,
        name: YamlScalar,
        defined: Mapping[str, Span],
        libraries: dict[str, Library],
    ) -> None:
        """Add the blocks of an imported library to `libraries`; report those whose name is taken.

        `defined` has the positions of the blocks in the importing file.
        """
        for block in library.blocks:
            if block in defined:
                message, help = f"'{block}' is already a block of '{name.text}'", "choose another name"
                notes = [("imported", name.span.seen_from(defined[block].source))]
                reader.note("duplicate-name", message, defined[block], notes=tuple(notes), help=help)
            elif block in libraries and libraries[block] is not library:
                message = f"'{block}' is already a block of '{libraries[block].source.name}'"
                reader.note("duplicate-name", message, name.span, help="import one of the two files")
            elif block not in self.vocabulary.ops and block not in CONSTRUCTS:
                libraries[block] = library

    def _import(self, name: YamlScalar, *, source: Source, importer: Path | None) -> Library | None:
        """The library an import names; None if the errors in the file were already reported.

        Raises:
            ArchspecError: the file does not exist, or it cannot be imported here.
        """
        path = locate(name, source, self.folders)
        real = path.resolve()
        imports = self._imports[importer]
        if real in imports:
            notes = [("first", imports[real].span.seen_from(source))]
            raise fail("duplicate-name", f"'{name.text}' is imported twice", name.span, notes=notes, help="remove one")
        imports[real] = name
        if importer is not None and real in self._names:
            raise self._cycle_error(name, importer, real)
        if real not in self._libraries:
            self._guard(name)
            self._libraries[real] = None
            self._names[real] = name.text
            try:
                self._libraries[real] = self._library(name, path, real)
            finally:
                self._names.popitem()
        return self._libraries[real]

    def _library(self, name: YamlScalar, path: Path, real: Path) -> Library | None:
        """The library in a file. Where the file does not begin as one, its errors are not reported: they may quote it.

        Raises:
            ArchspecError: the file cannot be read, or is neither a spec nor a file of blocks.
        """
        before = len(self.diagnostics)
        failed: tuple[Diagnostic, ...] = ()
        library: Library | None = None
        try:
            library = self._read(yaml.read_file(path), real)
        except ArchspecError as error:
            failed = error.diagnostics
        spans = [each.span for each in (*failed, *self.diagnostics[before:]) if each.span is not None]
        if any(span.source.name == str(path) and not _BEGINNING.match(span.source.text) for span in spans):
            del self.diagnostics[before:]
            message = f"'{name.text}' is neither a spec nor a file of blocks"
            raise fail("wrong-import", message, name.span, help="both start with `archspec: 1`")
        if failed:
            raise ArchspecError(replace(each, span=each.span or name.span) for each in failed)
        return library

    def _guard(self, name: YamlScalar) -> None:
        if len(self._libraries) >= MAX_IMPORTS:
            raise fail(
                "too-large", f"a spec imports at most {MAX_IMPORTS} files", name.span, help="merge some of the files"
            )
        if len(self._names) > MAX_IMPORT_DEPTH:
            message = f"imports are nested more than {MAX_IMPORT_DEPTH} deep"
            raise fail("too-deep", message, name.span, help="import files directly where their blocks are used")

    def _cycle_error(self, name: YamlScalar, importer: Path, imported: Path) -> ArchspecError:
        """The error of an import of a file that imports the importer, or is it."""
        import networkx as nx  # here, since only a spec with an error needs it

        if importer == imported:
            message = f"'{self._names[imported]}' imports itself"
            return fail("import-cycle", message, name.span, help="remove the import")
        graph = nx.DiGraph()
        graph.add_edges_from((file, other) for file, others in self._imports.items() if file for other in others)
        entries = [self._imports[file][other] for file, other in pairwise(nx.shortest_path(graph, imported, importer))]
        notes = [("imported", str(entry.span), entry.text) for entry in entries]
        message = f"'{self._names[imported]}' imports this file"
        help = "move the shared blocks to a third file, and import it from both"
        return fail("import-cycle", message, name.span, notes=notes, help=help)

    def _read(self, source: Source, real: Path | None) -> Library | None:
        """The library in a text, a file of blocks or a spec; None if it has no readable blocks or layers.

        Raises:
            ArchspecError: the text is neither.
        """
        tree, errors = yaml.parse(source, self.used)
        if not isinstance(tree, YamlMapping):
            message = f"a file of blocks is a mapping, not {describe(tree)}"
            raise fail("wrong-type", message, tree.span, help="a file of blocks starts with `archspec: 1`")
        imported = self._imported(source, tree, real)
        if tree.get("layers") is not None:
            return self._network(source, tree, errors, imported)
        depends_on = (tuple(imported.libraries.items()), imported.complete, self.vocabulary.named)
        cached: Library | None = source.reading("library", depends_on)
        if cached is not None:
            return cached
        defined = names_under(tree, "blocks")
        known = None if defined is None or not imported.complete else defined | imported.libraries.keys()
        reader = SpecReader(names_under(tree, "params"), known, self.vocabulary)
        reader.diagnostics += errors
        values = reader.keys("a file of blocks", tree, LIBRARY)
        params, param_errors = default_values(values.get("params", {}))
        reader.diagnostics += param_errors
        blocks = without_recursion(reader, values.get("blocks", {}))
        self.diagnostics += reader.diagnostics
        if "blocks" not in values or ("params" not in values and tree.get("params")):
            return None
        complete = imported.complete and tree.complete
        library = Library(source, params, blocks, imported.libraries, complete, imported.entries)
        if not reader.diagnostics and not self.vocabulary.asked:
            source.keep("library", library, depends_on)
        return library

    def _network(self, source: Source, tree: Tree, errors: Sequence[Diagnostic], imported: Imported) -> Library | None:
        """The library of an imported spec; None if the spec cannot be read."""
        spec, found = read_spec(source, tree, imported, self.vocabulary, errors)
        self.diagnostics += found
        if spec is None:
            return None
        known: Library | None = source.reading("network", spec.layers)
        if known is None:
            known = as_blocks(spec)
            source.keep("network", known, spec.layers)
        return known


def read_spec(
    source: Source, tree: Tree, imported: Imported, vocabulary: OpRegistry, errors: Sequence[Diagnostic]
) -> tuple[Spec | None, tuple[Diagnostic, ...]]:
    """The typed spec of a tree, as far as it can be read, and all errors in it; `errors` are those found before.

    Raises:
        ArchspecError: the tree is not a mapping.
    """
    depends_on = (tuple(imported.libraries.items()), vocabulary.named)
    if (cached := source.reading("spec", depends_on)) is not None:
        return cached, ()
    defined = names_under(tree, "blocks")
    known = None if defined is None or not imported.complete else defined | imported.libraries.keys()
    reader = SpecReader(names_under(tree, "params"), known, vocabulary)
    reader.diagnostics += errors
    spec = spec_of(reader, source, tree, imported)
    if spec is not None and not reader.diagnostics and not vocabulary.asked:
        source.keep("spec", spec, depends_on)
    return spec, tuple(reader.diagnostics)


def as_blocks(spec: Spec) -> Library:
    """A network as a library of blocks: one for each variant, and one of its own name for what `load` builds.

    The params are their arguments, with the values of the variant as defaults, and the inputs of the network theirs.
    """
    chosen = {name: (variant.span, variant.params) for name, variant in spec.variants.items()}
    if spec.name not in chosen:
        span = spec.layers[0].span if spec.layers else spec.source.at(0)
        chosen[spec.name] = chosen[spec.default] if spec.default is not None else (span, {})
    inputs = {declared.name: declared.shape.span for declared in spec.inputs}
    blocks = {
        name: Block(name, span, {**spec.params, **params}, spec.layers, False, inputs, spec.outputs)
        for name, (span, params) in chosen.items()
    }
    return Library(spec.source, {}, blocks, {}, imported=spec.imported, network=spec)


def _blocks_of(tree: Tree) -> dict[str, Span]:
    """The positions of the blocks a file defines, by name."""
    blocks = tree.get("blocks") if isinstance(tree, YamlMapping) else None
    return {key.text: key.span for key, _ in blocks.entries} if isinstance(blocks, YamlMapping) else {}


_BEGINNING = re.compile(r"(?:[ \t]*+(?:[#%][^\r\n]*+|---)?+[ \t]*+[\r\n]++)*+\s*+\{?+\s*+[\"']?+archspec[\"']?+\s*+:")
"""The beginning of a spec or a file of blocks, after comments and blank lines."""


def _real(path: Path | None) -> Path | None:
    try:
        return path.resolve() if path is not None else None
    except OSError:  # the working directory was deleted, and so there are no files in it
        return path
