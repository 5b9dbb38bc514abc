"""Where imports come from: the file a name means, below the folders it may mean, and never outside them."""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path, PureWindowsPath

from archspec.diagnostics import Source, did_you_mean, fail
from archspec.frontend.source import Scalar


def locate(name: Scalar, source: Source, folders: Sequence[Path]) -> Path:
    """The file an import means: the first of its name below the folder of the file it stands in, or below `folders`.

    Raises:
        ArchspecError: there is none, or it is not below that folder.
    """
    text = name.text
    if not _leads_down(text):
        message = f"'{text}' is no path down from a folder"
        help = "write a path like blocks/residual.yaml; other folders are named with --path"
        raise fail("wrong-import", message, name.span, help=help)
    own: Sequence[Path] = () if source.path is None else (source.path.parent,)
    for folder in (*own, *folders):
        path = folder / text
        if not os.path.isfile(path):
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            message, help = f"'{text}' is a link that leads out of its folder", "put the file itself where the link is"
            raise fail("wrong-import", message, name.span, help=help)
        return path
    looked = f"it is looked for {'beside this file, ' if own else ''}in the folders of --path, and in the zoo"
    help = did_you_mean(text, list(_known((*own, *folders), text))) or looked
    raise fail("unknown-import", f"there is no file '{text}' to import", name.span, help=help)


def _leads_down(text: str) -> bool:
    """Whether a text is a path down from a folder, on every system."""
    if "\\" in text or not text.isprintable() or PureWindowsPath(text).anchor:
        return False
    return all(part not in ("", ".", "..") for part in text.split("/"))


def _known(folders: Sequence[Path], text: str) -> Iterator[str]:
    """The files an import may have meant: those beside it, and those in folders called `blocks`."""
    parent = text.rpartition("/")[0]
    for below in dict.fromkeys((parent, "blocks")):
        for folder in folders:
            for file in _specs_in(folder / below):
                yield f"{below}/{file}" if below else file


def _specs_in(folder: Path) -> list[str]:
    try:
        names = [path.name for path in islice(folder.iterdir(), _LISTED)]
    except OSError:
        return []
    return sorted(name for name in names if name.endswith((".yaml", ".yml")))


_LISTED = 500
