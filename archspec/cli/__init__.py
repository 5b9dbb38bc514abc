"""The command line: data goes to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from archspec.diagnostics import ArchspecError

BROKEN_PIPE = 141
"""The exit status of a program whose reader has gone, as shells report it: 128 + SIGPIPE."""


def main() -> None:
    """Run the command line and exit: 0 on success, 1 on an error in a spec or a file, 2 on a wrong command line."""
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more at exit, which would report the same error again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = BROKEN_PIPE
    sys.exit(code)


def run(words: Sequence[str]) -> int:
    """Run one command line; the exit status."""
    from archspec.cli.parser import parse

    options = parse(words)
    try:
        status: int = options.run(options)
    except ArchspecError as error:
        from archspec.cli.output import report

        report(error.diagnostics)
        return 1
    return status
