"""The zoo: the specs that come with the package, found by file, by name or by the name of a variant.

The networks are in its folder. The examples of lectures, and of networks as parts of others, are in folders below it,
and their names start with the folder: `lectures/padding`, and `lectures/padding:same` for a variant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from os.path import exists, isdir  # unlike those of Path, they do not raise for long names
from pathlib import Path

from archspec.diagnostics import ArchspecError, did_you_mean, fail, nearest
from archspec.frontend.language.search_path import ENDINGS, specs_in

LECTURES = "lectures"
"""The folder of the examples of lectures."""

PARTS = "parts"
"""The folder of the examples of networks with networks of the zoo as parts."""

GROUPS = (LECTURES, PARTS)
"""The folders of examples."""


@lru_cache(maxsize=1)
def folder() -> Path:
    """The folder of the specs: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "specs"
    return installed if installed.is_dir() else package.parent / "specs"


def files(group: str = "") -> list[Path]:
    """The spec files of the zoo in order: those of the networks, or those of a group."""
    return sorted((folder() / group).glob("*.yaml"))


def find(spec: str | Path) -> tuple[Path, str | None]:
    """The file of a spec and its variant, for `FILE`, `FILE:VARIANT` or a name in the zoo.

    Raises:
        ArchspecError: there is no such file and no such name; the nearest name is suggested.
    """
    text = str(spec)
    if "\n" in text and not _readable(Path(text)):
        help = "`archspec.parse` takes a spec as text"
        raise fail("unknown-spec", "a spec is given by file or by name, not by a text of several lines", help=help)
    path, variant = Path(text), None
    if not _readable(path) and ":" in text:
        head, _, variant = text.rpartition(":")
        path = Path(head)
    if _readable(path):
        return path, variant
    if len(path.parts) == 2 and path.parts[0] in GROUPS and path.suffix not in ENDINGS:
        return _in_group(path, variant)
    if text.endswith(ENDINGS) or path.suffix in ENDINGS or len(path.parts) != 1:
        raise _no_file(path)
    return _in_zoo(path.name, variant)


def _readable(path: Path) -> bool:
    """Whether a path can be read: a file, or a pipe such as `/dev/stdin`."""
    return exists(path) and not isdir(path)


def _no_file(path: Path) -> ArchspecError:
    """The error for a path without a file; it suggests the one that is probably meant."""
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
    """The name and the file of every network: of each variant of a file, or of the file itself if it has none."""
    for path in files(group):
        spec, variants = _names(path)
        for name in variants or (spec,):
            yield name_of(path, spec, name), path


def name_of(path: Path, spec: str, variant: str) -> str:
    """The name in the zoo of a variant of a spec; for a spec without variants, `variant` is the spec's name."""
    group = path.parent.relative_to(folder()).as_posix()
    if group == ".":
        return variant
    return f"{group}/{path.stem}" if variant == spec else f"{group}/{path.stem}:{variant}"


def _in_zoo(name: str, variant: str | None) -> tuple[Path, str | None]:
    if variant is None and (file := _file_of_family(folder(), name)) is not None:
        return file, name
    networks, families = _places(folder())
    if variant is None and name in networks:
        return networks[name], name
    if name in families:
        return families[name], variant
    if name in networks:
        raise fail("unknown-variant", f"'{name}' is a variant itself", help=f"remove ':{variant}'")
    help = did_you_mean(name, [*networks, *families])
    help = help or "`archspec list` lists the zoo; a file name includes its ending, .yaml"
    raise fail("unknown-spec", f"there is no spec '{name}'", help=help)


@lru_cache(maxsize=256)
def _file_of_family(folder: Path, variant: str) -> Path | None:
    """The file of a variant whose name starts with that of the file, `resnet50` in `resnet.yaml`, if there is one.

    Most names are found in this way, without listing the folder or reading every file of the zoo.
    """
    starts = (folder / f"{variant[:end]}.yaml" for end in range(1, len(variant) + 1))
    return next((path for path in starts if exists(path) and variant in _names(path)[1]), None)


@lru_cache(maxsize=1)
def _places(folder: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """The files by the names of their variants, and the files by their own names and those of their specs."""
    networks: dict[str, Path] = {}
    families: dict[str, Path] = {}
    for path in sorted(folder.glob("*.yaml")):
        spec, variants = _names(path)
        networks.update({name: path for name in variants if name not in networks})
        families.update({name: path for name in (spec, path.stem) if name not in families})
    return networks, families


def _in_group(path: Path, variant: str | None) -> tuple[Path, str | None]:
    group = path.parts[0]
    known = {file.stem: file for file in files(group)}
    if path.name in known:
        return known[path.name], variant
    close = nearest(path.name, known)
    help = f"did you mean '{group}/{close}'?" if close else f"`archspec list {group}` lists them"
    raise fail("unknown-spec", f"there is no spec '{path.as_posix()}'", help=help)


_TOP = re.compile(r"^([A-Za-z_]\w*):(.*)$")
_VARIANT = re.compile(r"^  ([A-Za-z0-9_-]+):")


@lru_cache(maxsize=256)
def _names(path: Path) -> tuple[str, tuple[str, ...]]:
    """The name of a spec in the zoo and the names of its variants, found line by line without parsing the file.

    In the zoo's files the variants are indented by two spaces, below `variants:`.
    """
    variants: list[str] = []
    name, section = path.stem, ""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith(" "):
            if section == "variants" and (variant := _VARIANT.match(line)):
                variants.append(variant[1])
        elif top := _TOP.match(line):
            section = top[1]
            name = top[2].split("#")[0].strip() if section == "name" else name
    return name, tuple(variants)
