"""The zoo: the specs that come with the package, found by file or by the name of a variant.

The networks lie in its folder. The examples of lectures lie in a folder below and go by names that say so:
`lectures/padding`, and `lectures/padding:same` for a variant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from os.path import exists, isdir  # those of Path raise for names that are too long
from pathlib import Path

from archspec.diagnostics import ArchspecError, did_you_mean, fail, nearest
from archspec.frontend.language.search_path import ENDINGS, specs_in

LECTURES = "lectures"
"""The folder of the lectures' examples."""


@lru_cache(maxsize=1)
def folder() -> Path:
    """Where the specs are: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "specs"
    return installed if installed.is_dir() else package.parent / "specs"


def files(group: str = "") -> list[Path]:
    """The spec files of the zoo, sorted: those of the networks, or those in the folder of a group."""
    return sorted((folder() / group).glob("*.yaml"))


def find(spec: str | Path) -> tuple[Path, str | None]:
    """The file of a spec and the variant meant, for `FILE`, `FILE:VARIANT` or a name in the zoo.

    Raises:
        ArchspecError: there is neither such a file nor such a name; the nearest name is suggested.
    """
    text = str(spec)
    if "\n" in text and not _readable(Path(text)):
        help = "`archspec.parse` takes a spec as text"
        raise fail("unknown-spec", "the name of a spec is wanted here, and this is a text of several lines", help=help)
    path, variant = Path(text), None
    if not _readable(path) and ":" in text:
        head, _, variant = text.rpartition(":")
        path = Path(head)
    if _readable(path):
        return path, variant
    if path.parts[:-1] == (LECTURES,) and path.suffix not in ENDINGS:
        return _in_group(path, variant)
    if text.endswith(ENDINGS) or path.suffix in ENDINGS or len(path.parts) != 1:
        raise _no_file(path)
    return _in_zoo(path.name, variant)


def _readable(path: Path) -> bool:
    """Whether there is something to read: a file, or a pipe such as `/dev/stdin`."""
    return exists(path) and not isdir(path)


def _no_file(path: Path) -> ArchspecError:
    """What is said of a path that leads to no file, with the one that is likely meant."""
    if isdir(path):
        return fail("unreadable-file", f"{path} is a folder", help="name a file in it, or a network in the zoo")
    networks, families = _places(folder())
    if path.suffix not in ENDINGS and (near := next((end for end in ENDINGS if exists(f"{path}{end}")), None)):
        help: str | None = f"did you mean '{path}{near}'?"
    elif path.stem in networks or path.stem in families:
        help = f"did you mean '{path.stem}', which is in the zoo?"
    else:
        close = nearest(path.name, specs_in(path.parent))
        help = f"did you mean '{path.parent / close}'?" if close else None
    return fail("unreadable-file", f"there is no file {path}", help=help)


def names(group: str = "") -> Iterator[tuple[str, Path]]:
    """Every network by the name it goes by, with its file: the variants of a file, or what has none."""
    for path in files(group):
        own, variants = _names(path)
        for name in variants or (own,):
            yield name_of(path, own, name), path


def name_of(path: Path, own: str, variant: str) -> str:
    """The name of a variant of a file of the zoo; of a file without variants if `variant` is its own name."""
    group = path.parent.relative_to(folder()).as_posix()
    if group == ".":
        return variant
    return f"{group}/{path.stem}" if variant == own else f"{group}/{path.stem}:{variant}"


def _in_zoo(name: str, variant: str | None) -> tuple[Path, str | None]:
    networks, families = _places(folder())
    if variant is None and name in networks:
        return networks[name], name
    if name in families:
        return families[name], variant
    if name in networks:
        raise fail("unknown-variant", f"'{name}' is a variant itself", help=f"leave ':{variant}' out")
    help = did_you_mean(name, [*networks, *families])
    help = help or "`archspec list` shows the zoo; a file is named with its ending, .yaml"
    raise fail("unknown-spec", f"there is no spec '{name}'", help=help)


@lru_cache(maxsize=1)
def _places(folder: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """The file of each variant by its name, and each file by its name and by that of what it holds."""
    networks: dict[str, Path] = {}
    families: dict[str, Path] = {}
    for path in sorted(folder.glob("*.yaml")):
        own, variants = _names(path)
        networks.update({name: path for name in variants if name not in networks})
        families.update({name: path for name in (own, path.stem) if name not in families})
    return networks, families


def _in_group(path: Path, variant: str | None) -> tuple[Path, str | None]:
    group = path.parts[0]
    known = {file.stem: file for file in files(group)}
    if path.name in known:
        return known[path.name], variant
    close = nearest(path.name, known)
    help = f"did you mean '{group}/{close}'?" if close else f"`archspec list {group}` shows them"
    raise fail("unknown-spec", f"there is no spec '{path.as_posix()}'", help=help)


_TOP = re.compile(r"^([A-Za-z_]\w*):(.*)$")
_VARIANT = re.compile(r"^  ([A-Za-z0-9_-]+):")


@lru_cache(maxsize=256)
def _names(path: Path) -> tuple[str, tuple[str, ...]]:
    """The name of a zoo file and those of its variants, read off its lines without parsing it.

    The zoo's files are ours: their variants stand two spaces in, under `variants:`.
    """
    variants: list[str] = []
    own, section = path.stem, ""
    for line in path.read_text("utf-8").splitlines():
        if top := _TOP.match(line):
            section = top[1]
            own = top[2].split("#")[0].strip() if section == "name" else own
        elif section == "variants" and (variant := _VARIANT.match(line)):
            variants.append(variant[1])
    return own, tuple(variants)
