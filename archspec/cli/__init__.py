"""The command line: data goes to stdout, everything else to stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from archspec.diagnostics import ArchspecError

BROKEN_PIPE = 141
"""The exit status of a program whose reader has gone, as shells report it: 128 + SIGPIPE."""


def main() -> None:
    """Run the command line and exit: 0 on success, 1 on an error in a spec or a file, 2 on a wrong command line."""
    from archspec.cli.process import Ended, end_by_signal, occupy_standard_descriptors, signals_raise

    occupy_standard_descriptors()
    try:
        with signals_raise():
            status = run(sys.argv[1:])
    except Ended as ended:
        status = end_by_signal(ended.number)
    sys.exit(status)


def run(words: Sequence[str]) -> int:
    """Run one command line; the exit status."""
    from archspec.cli import output

    try:
        try:
            status = _run(words)
        except SystemExit as end:  # of argparse, after help or an error
            status = int(end.code or 0)
        except ArchspecError as error:
            output.report(error.diagnostics)
            status = 1
        output.flush()
    except BrokenPipeError:
        output.discard(sys.stdout)
        return BROKEN_PIPE
    except ArchspecError as error:  # stdout is full
        output.report(error.diagnostics)
        return 1
    return status


def _run(words: Sequence[str]) -> int:
    from archspec.cli.output import warnings_as_messages
    from archspec.cli.parser import parse

    options = parse(words)
    with warnings_as_messages():
        status: int = options.run(options)
    return status
