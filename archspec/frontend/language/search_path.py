"""The search path of imports: the file of a name, always inside one of the folders searched."""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath

from archspec.diagnostics import Source, fail, nearest
from archspec.file_kinds import irregular
from archspec.frontend.yaml.tree import YamlScalar

ENDINGS = (".yaml", ".yml")
"""The file endings of specs and of files of blocks."""


def locate(name: YamlScalar, source: Source, folders: Sequence[Path]) -> Path:
    """The file of an import: the first of that name in the folder of the importing file, or in `folders`.

    Raises:
        ArchspecError: there is none, it is outside that folder, or its name is not that of a spec: a file that is read
            may be quoted, so no other files are.
    """
    text = name.text
    if not _leads_down(text):
        message = f"'{text}' is not a relative path below a folder"
        help = "write a path such as blocks/residual.yaml; add other folders with --path"
        raise fail("wrong-import", message, name.span, help=help)
    own: Sequence[Path] = () if source.path is None else (source.path.parent,)
    if not _is_name_of_spec(text):
        message = f"'{text}' cannot be the name of a spec or of a file of blocks"
        help = f"it ends in {' or '.join(ENDINGS)}, and no part of it starts with a dot"
        close = None if "." in text else _nearest(text, (*own, *folders), source)
        raise fail("wrong-import", message, name.span, help=f"did you mean '{close}'?" if close else help)
    for folder in (*own, *folders):
        path = folder / text
        if not os.path.isfile(path):
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            message, help = f"'{text}' is a link to a file outside its folder", "replace the link by the file"
            raise fail("wrong-import", message, name.span, help=help)
        return path
    close = _nearest(text, (*own, *folders), source)
    looked = f"searched {'next to this file, ' if own else ''}in the folders of --path and in the zoo"
    help = f"did you mean '{close}'?" if close else looked
    kind = next(filter(None, (irregular(folder / text) for folder in (*own, *folders))), None)
    message = f"there is no file '{text}' to import" + (f": it is {kind}" if kind else "")
    raise fail("unknown-import", message, name.span, help=help)


def _leads_down(text: str) -> bool:
    """Whether a text is a path down from a folder, on every system."""
    if "\\" in text or not text.isprintable() or PureWindowsPath(text).anchor:
        return False
    return all(part not in ("", ".", "..") for part in text.split("/"))


def _is_name_of_spec(text: str) -> bool:
    """Whether a path has the ending of a spec, and no hidden part such as `.git`."""
    return text.endswith(ENDINGS) and not any(part.startswith(".") for part in text.split("/"))


def _known(folders: Sequence[Path], text: str, source: Source) -> Iterator[str]:
    """The files an import in a source may have meant: those beside it, and those in folders called `blocks`."""
    parent = text.rpartition("/")[0]
    for below in dict.fromkeys((parent, "blocks")):
        for folder in folders:
            for file in specs_in(folder / below):
                if _is_name_of_spec(file) and folder / below / file != source.path:
                    yield f"{below}/{file}" if below else file


def _nearest(text: str, folders: Sequence[Path], source: Source) -> str | None:
    """The file that an import most likely meant: the one with the most similar name, without folder and ending."""
    files = {PurePosixPath(file).stem: file for file in reversed(list(_known(folders, text, source)))}
    stem = nearest(PurePosixPath(text).stem, files)
    return None if stem is None else files[stem]


def specs_in(folder: Path) -> list[str]:
    """The names of the regular files in a folder that end as specs do; none where it cannot be read."""
    try:
        paths = [path for path in islice(folder.iterdir(), _LISTED) if path.name.endswith(ENDINGS)]
    except OSError:
        return []
    return sorted(path.name for path in paths if os.path.isfile(path))


_LISTED = 500
