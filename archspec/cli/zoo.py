"""`archspec list` and `archspec show`: the networks of the zoo, their specs, and copies to start one's own from."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from archspec import zoo
from archspec.catalogue import Entry, search
from archspec.cli.output import message, print_json, print_lines, print_rows
from archspec.cli.values import open_spec
from archspec.diagnostics import ArchspecError, Source, did_you_mean, fail
from archspec.frontend.language import files
from archspec.frontend.language.imports import Imports
from archspec.frontend.language.op_registry import OpRegistry
from archspec.frontend.language.spec import Library, Spec
from archspec.frontend.yaml import tree as yaml
from archspec.lower.atomic_write import write_text
from archspec.report import units

BLOCKS = "blocks"
"""The folder of the zoo's files of blocks."""


def list_zoo(options: Namespace) -> int:
    """List the networks that a text means, in the order of the zoo or sorted; those without the fact come last."""
    entries = search(options.text)
    if options.sort is not None:
        entries.sort(key=lambda entry: ((fact := getattr(entry, options.sort)) is None, fact or 0))
    if options.json:
        print_json([entry.as_json() for entry in entries])
    else:
        print_rows(_table(entries))
    return 0


def _table(entries: Sequence[Entry]) -> list[tuple[str, ...]]:
    """The rows of the table, with its headings. Numbers are right-aligned."""
    inputs = ["input", *(_inputs(entry) for entry in entries)]
    params, macs = (
        [
            heading,
            *("" if (fact := getattr(entry, heading.lower())) is None else units.short(fact) for entry in entries),
        ]
        for heading in ("params", "MACs")
    )
    return list(
        zip(
            ["name", *(entry.name for entry in entries)],
            *map(_right_aligned, (inputs, params, macs)),
            ["summary", *(entry.summary for entry in entries)],
            strict=True,
        )
    )


def _inputs(entry: Entry) -> str:
    """The size of the first input, and how many others there are."""
    first, *others = map(units.size, entry.inputs.values())
    return f"{first} +{len(others)}" if others else first


def _right_aligned(cells: Sequence[str]) -> list[str]:
    width = max(map(len, cells))
    return [cell.rjust(width) for cell in cells]


def show(options: Namespace) -> int:
    """Print a spec or a file of blocks, or copy it, with the files that it imports, into the folder of `--copy`."""
    source = _source(options.name)
    if options.copy is None:
        print_lines(source.text.splitlines())
        return 0
    copies = {options.copy / path: text for path, text in _files(source).items()}
    for path, text in copies.items():
        if path.exists() and path.read_bytes() != text.encode("utf-8"):
            raise fail("unwritable-file", f"{path} exists, and differs", help="choose another folder, or remove it")
    for path, text in copies.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
        message(f"wrote {path}")
    return 0


def _source(name: str) -> Source:
    """The file of a network, of its family, or of blocks: `resnet50`, `resnet`, `blocks/residual.yaml` or `residual`.

    Raises:
        ArchspecError: there is none; the nearest file of blocks is suggested if that is meant.
    """
    blocks = {path.stem: path for path in zoo.files(BLOCKS)}
    stem = name.removeprefix(f"{BLOCKS}/").removesuffix(".yaml")
    try:
        return yaml.read_file(blocks[stem]) if name.startswith(f"{BLOCKS}/") and stem in blocks else open_spec(name)[0]
    except ArchspecError:
        if stem in blocks:
            return yaml.read_file(blocks[stem])
        if name.startswith(f"{BLOCKS}/"):
            raise fail(
                "unknown-spec", f"there is no file of blocks '{name}'", help=did_you_mean(stem, blocks)
            ) from None
        raise


def _files(source: Source) -> dict[Path, str]:
    """The texts of a file and of those that it imports, by paths with which they find one another in another folder."""
    folder = source.path.parent if source.path else Path()
    spec, _ = files.read(source, [zoo.folder()])
    reader = spec or Imports([zoo.folder()], OpRegistry()).library(source)
    imported = [] if reader is None else [library.source for library in _imported(reader)]
    return {_relative(each.path or Path(each.name), folder): each.text for each in (source, *imported)}


def _imported(reader: Spec | Library) -> Iterator[Library]:
    for _, library in reader.imported:
        yield library
        yield from _imported(library)


def _relative(path: Path, folder: Path) -> Path:
    """The path of a file below the folder of the spec, or below that of the zoo."""
    for base in (folder, zoo.folder()):
        if path.is_relative_to(base):
            return path.relative_to(base)
    return Path(path.name)
