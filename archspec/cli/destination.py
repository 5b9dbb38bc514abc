"""Where a command writes its file: what `-o` names, or standard output."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from archspec.cli.output import message, need_stdout, print_file
from archspec.diagnostics import fail


@contextmanager
def written(output: Path | None, suffix: str, *, text: bool) -> Iterator[Path]:
    """The file to write; afterwards it is printed if it stands for standard output, else its name is reported.

    Args:
        output: the file that is wanted; None for standard output.
        suffix: the suffix of what is written to standard output.
        text: whether that is text.

    Raises:
        ArchspecError: standard output is closed or full, or a terminal that something binary is written to; what was
            written is several files.
    """
    if output is not None:
        yield output
        message(f"wrote {output}")
        return
    need_stdout(text=text, what=f"a {suffix} file")
    with TemporaryDirectory(prefix="archspec-") as folder:
        path = Path(folder, f"output{suffix}")
        yield path
        if os.listdir(folder) != [path.name]:
            help = "-o FILE writes two"
            raise fail("unwritable-file", "the weights do not fit into the one file of standard output", help=help)
        print_file(path, text=text)
