"""Whole files: specs and files of blocks, each read with all that it imports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archspec.diagnostics import ArchspecError, Diagnostic, Source
from archspec.frontend.language.imports import LIBRARY, Imports, read_spec
from archspec.frontend.language.numbering import unnumbered_structures
from archspec.frontend.language.op_registry import OpRegistry
from archspec.frontend.language.spec import Spec
from archspec.frontend.language.unused import unused_in_library
from archspec.frontend.yaml import tree as yaml
from archspec.frontend.yaml.tree import Tree, YamlMapping
from archspec.frozen import replace


def read(
    source: Source, folders: Sequence[Path] = (), vocabulary: OpRegistry | None = None
) -> tuple[Spec | None, tuple[Diagnostic, ...]]:
    """The typed spec, as far as it can be read, and all errors in it and in its imports.

    The spec is None if it is not valid YAML or has no layers. Imports are searched in the folder of the spec's file,
    then in `folders`.
    """
    vocabulary = vocabulary or OpRegistry()
    imports = Imports(folders, vocabulary)
    try:
        tree, errors = yaml.parse(source, imports.used)
        imported = imports.spec(source, tree)
        spec, found = read_spec(source, tree, imported, vocabulary, (*errors, *imports.diagnostics))
    except ArchspecError as error:
        return None, error.diagnostics
    return (replace(spec, vocabulary=vocabulary) if spec is not None else None), found


def is_library(tree: Tree) -> bool:
    """Whether a file is one of blocks: it has blocks, and no key that only a spec has."""
    keys = {key.text for key, _ in tree.entries} if isinstance(tree, YamlMapping) else set()
    return "blocks" in keys and keys <= LIBRARY.keys()


def library_errors(
    source: Source, folders: Sequence[Path] = (), vocabulary: OpRegistry | None = None
) -> tuple[Diagnostic, ...] | None:
    """The errors and warnings of a file of blocks and of its imports; None if the text is not a file of blocks."""
    try:
        tree, _ = yaml.parse(source)
    except ArchspecError:
        return None
    if not is_library(tree):
        return None
    imports = Imports(folders, vocabulary or OpRegistry())
    library = imports.library(source)
    if library is None or imports.diagnostics:
        return tuple(imports.diagnostics)
    return (*unused_in_library(library), *unnumbered_structures((), library.blocks))
