"""The specs that `check` is given by files, folders and patterns."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from typing import NamedTuple

from archspec.diagnostics import Diagnostic, fail
from archspec.frontend.language.search_path import ENDINGS
from archspec.frontend.limits import MAX_BYTES


class SpecFiles(NamedTuple):
    """The specs to check, the files left out since they have no key `archspec`, and errors about finding specs."""

    specs: list[str]
    skipped: list[str]
    errors: list[Diagnostic]


def spec_files(given: Sequence[str]) -> SpecFiles:
    """The specs that arguments of `check` name, each once.

    A folder stands for the specs in it and in the folders below it, a pattern such as `specs/**/*.yaml` for those that
    it matches.
    """
    specs: dict[str, None] = {}
    skipped: dict[str, None] = {}
    errors: list[Diagnostic] = []
    for argument in given:
        if os.path.isdir(argument):
            found = list(_in_folder(argument))
        elif has_magic(argument) and not os.path.exists(argument):
            found = [path for path in sorted(glob(argument, recursive=True)) if path.endswith(ENDINGS)]
        else:
            specs[argument] = None
            continue
        own = [path for path in found if _may_be_spec(path)]
        specs |= dict.fromkeys(own)
        skipped |= dict.fromkeys(sorted({*found} - {*own}))
        if not own:
            errors += _none_there(argument)
    return SpecFiles([*specs], [*skipped], errors)


def _in_folder(folder: str) -> Iterator[str]:
    """The files in a folder, and in those below it, that are named as specs; none that are hidden."""
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.normpath(os.path.join(path, name)) for name in sorted(files) if _is_spec_name(name))


def _is_spec_name(name: str) -> bool:
    return name.endswith(ENDINGS) and not name.startswith(".")


def _may_be_spec(path: str) -> bool:
    """Whether a file has the key that specs and files of blocks have, or cannot be read, which `check` then reports."""
    try:
        with open(path, "rb") as file:
            return _ARCHSPEC.search(file.read(MAX_BYTES)) is not None
    except OSError:
        return True


_ARCHSPEC = re.compile(rb"^(?:\xef\xbb\xbf)?\s*\{?\s*[\"']?archspec[\"']?\s*:", re.MULTILINE)


def _none_there(argument: str) -> tuple[Diagnostic, ...]:
    where = f"in the folder {argument}" if os.path.isdir(argument) else f"that matches {argument}"
    help = f"specs end in {' or '.join(ENDINGS)} and start with `archspec: 1`"
    return fail("unknown-spec", f"there is no spec {where}", help=help).diagnostics
