"""Imports: the files of blocks a spec names, found in the folders they may come from, and read into libraries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from archspec.diagnostics import ArchspecError, Diagnostic, Source, Span, fail
from archspec.frontend.language.common import SHARED, names_under, without_loops
from archspec.frontend.language.op_registry import OpRegistry
from archspec.frontend.language.params import default_values
from archspec.frontend.language.reader import Keys, Reader, describe
from archspec.frontend.language.search_path import locate
from archspec.frontend.language.spec import Library
from archspec.frontend.language.steps import SpecReader
from archspec.frontend.language.structures import CONSTRUCTS
from archspec.frontend.limits import MAX_IMPORT_DEPTH, MAX_IMPORTS
from archspec.frontend.yaml import tree as yaml
from archspec.frontend.yaml.tree import Tree, Used, YamlList, YamlMapping, YamlScalar
from archspec.frozen import frozen

LIBRARY: Keys = {**SHARED, "blocks": replace(SHARED["blocks"], required=True)}
"""The keys of a file of blocks."""


@frozen
class Imported:
    """The libraries a file imports, by the names of their blocks; not `whole` where some could not be read."""

    libraries: Mapping[str, Library]
    whole: bool = True


@frozen
class _Open:
    """A file that is being read: where it is, and the import that asked for it."""

    path: Path | None
    name: str
    span: Span | None


class Imports:
    """Reads what one spec imports: each file once, and all of them within the limits on one spec.

    `folders` are those files are looked for in, after the folder of the file that imports them.
    """

    def __init__(self, folders: Sequence[Path], vocabulary: OpRegistry) -> None:
        self.folders = tuple(folders)
        self.vocabulary = vocabulary
        self.used = Used()
        self.diagnostics: list[Diagnostic] = []
        self._libraries: dict[Path, Library | None] = {}
        self._open: list[_Open] = []

    def spec(self, source: Source, tree: Tree) -> Imported:
        """What a spec imports. Errors are added to the diagnostics."""
        self._open.append(_Open(_real(source.path), source.name, None))
        imported = self._imported(source, tree)
        self._open.pop()
        return imported

    def library(self, source: Source) -> Library | None:
        """A file of blocks that is read for its own sake. Errors are added to the diagnostics."""
        self._open.append(_Open(_real(source.path), source.name, None))
        library = self._read(source)
        self._open.pop()
        return library

    def _imported(self, source: Source, tree: Tree) -> Imported:
        written = tree.get("import") if isinstance(tree, YamlMapping) else None
        if written is None:
            return Imported({})
        reader = Reader()
        found: dict[str, Library] = {}
        places: dict[Path, Span] = {}
        names = written.items if isinstance(written, YamlList) else (written,)
        if not names:
            help = "name a file, such as blocks/residual.yaml"
            reader.note("wrong-value", "'import' is an empty list", written.span, help=help)
        whole = bool(names)
        for item in names:
            name = reader.attempt(partial(reader.scalar, "the name of a file"), item)
            find = partial(self._import, source=source, places=places)
            library = reader.attempt(find, name) if name is not None else None
            if name is None or library is None:
                whole = False
            else:
                self._enter(reader, library, name, _own(tree), found)
        self.diagnostics += reader.diagnostics
        return Imported(found, whole)

    def _enter(
        self, reader: Reader, library: Library, name: YamlScalar, own: Mapping[str, Span], found: dict[str, Library]
    ) -> None:
        """Add the blocks of a library to those found, reporting each that is there already."""
        for block in library.blocks:
            if block in own:
                message, help = f"'{block}' is already a block of '{name.text}'", "choose another name"
                notes = [("imported", name.span.seen_from(own[block].source))]
                reader.note("duplicate-name", message, own[block], notes=tuple(notes), help=help)
            elif block in found:
                message = f"'{block}' is already a block of '{found[block].source.name}'"
                reader.note("duplicate-name", message, name.span, help="import one of the two files")
            elif block not in self.vocabulary.ops and block not in CONSTRUCTS:
                found[block] = library

    def _import(self, name: YamlScalar, *, source: Source, places: dict[Path, Span]) -> Library | None:
        """The library an import names; None where what is wrong with the file is told already.

        Raises:
            ArchspecError: there is no such file, or it is none to import here.
        """
        path = locate(name, source, self.folders)
        real = path.resolve()
        if real in places:
            notes = [("first", places[real].seen_from(source))]
            raise fail("duplicate-name", f"'{name.text}' is imported twice", name.span, notes=notes, help="remove one")
        places[real] = name.span
        if any(real == opened.path for opened in self._open):
            raise self._cycle(name, real)
        if real not in self._libraries:
            self._guard(name)
            self._libraries[real] = None
            self._open.append(_Open(real, name.text, name.span))
            try:
                self._libraries[real] = self._read(yaml.read_file(path))
            except ArchspecError as error:
                raise ArchspecError(
                    replace(found, span=found.span or name.span) for found in error.diagnostics
                ) from error
            finally:
                self._open.pop()
        return self._libraries[real]

    def _guard(self, name: YamlScalar) -> None:
        if len(self._libraries) >= MAX_IMPORTS:
            raise fail(
                "too-large", f"a spec imports at most {MAX_IMPORTS} files", name.span, help="merge some of the files"
            )
        if len(self._open) > MAX_IMPORT_DEPTH:
            message = f"imports are nested more than {MAX_IMPORT_DEPTH} deep"
            raise fail("too-deep", message, name.span, help="import files directly where their blocks are used")

    def _cycle(self, name: YamlScalar, real: Path) -> ArchspecError:
        start = next(i for i, opened in enumerate(self._open) if opened.path == real)
        ring = self._open[start:]
        if len(ring) == 1:
            return fail("import-cycle", f"'{ring[0].name}' imports itself", name.span, help="remove the import")
        notes = [("imported", str(opened.span), opened.name) for opened in ring[1:] if opened.span is not None]
        message = f"'{ring[0].name}' imports this file"
        help = "move the shared blocks to a third file, and import it from both"
        return fail("import-cycle", message, name.span, notes=notes, help=help)

    def _read(self, source: Source) -> Library | None:
        """The library in a text.

        Raises:
            ArchspecError: the text is none.
        """
        tree, faults = yaml.parse(source, self.used)
        if not isinstance(tree, YamlMapping):
            message = f"a file of blocks is a mapping, not {describe(tree)}"
            raise fail("wrong-type", message, tree.span, help="a file of blocks starts with `archspec: 1`")
        for key, _ in tree.entries:
            if key.text == "layers":
                message, help = "a spec cannot be imported", "move its blocks to a separate file without layers"
                raise fail("wrong-import", message, key.span, help=help)
        imported = self._imported(source, tree)
        given = (tuple(imported.libraries.items()), imported.whole, self.vocabulary.named)
        kept: Library | None = source.reading("library", given)
        if kept is not None:
            return kept
        own = names_under(tree, "blocks")
        known = None if own is None or not imported.whole else own | imported.libraries.keys()
        reader = SpecReader(names_under(tree, "params"), known, self.vocabulary)
        reader.diagnostics += faults
        values = reader.keys("a file of blocks", tree, LIBRARY)
        params, wrong = default_values(values.get("params", {}))
        reader.diagnostics += wrong
        blocks = without_loops(reader, values.get("blocks", {}))
        self.diagnostics += reader.diagnostics
        if "blocks" not in values or ("params" not in values and tree.get("params")):
            return None
        library = Library(source, params, blocks, imported.libraries, imported.whole and tree.whole)
        if not reader.diagnostics and not self.vocabulary.asked:
            source.keep("library", library, given)
        return library


def library_errors(
    source: Source, folders: Sequence[Path] = (), vocabulary: OpRegistry | None = None
) -> tuple[Diagnostic, ...] | None:
    """The errors in a file of blocks and in what it imports; None where the text does not mean to be one.

    It does where it has blocks, and no key that only a spec has.
    """
    try:
        tree, _ = yaml.parse(source)
    except ArchspecError:
        return None
    keys = {key.text for key, _ in tree.entries} if isinstance(tree, YamlMapping) else set()
    if "blocks" not in keys or not keys <= LIBRARY.keys():
        return None
    imports = Imports(folders, vocabulary or OpRegistry())
    imports.library(source)
    return tuple(imports.diagnostics)


def _own(tree: Tree) -> dict[str, Span]:
    """The blocks a file has itself, and where."""
    under = tree.get("blocks") if isinstance(tree, YamlMapping) else None
    return {key.text: key.span for key, _ in under.entries} if isinstance(under, YamlMapping) else {}


def _real(path: Path | None) -> Path | None:
    return path.resolve() if path is not None else None
