"""`archspec check`: the diagnostics of specs, and what was checked."""

from __future__ import annotations

import os
from argparse import Namespace
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from archspec.cli.output import message, print_json, print_lines, report
from archspec.cli.parser import STDIN
from archspec.cli.spec_files import spec_files
from archspec.cli.values import allowed_codes, input_shapes, open_spec, params
from archspec.diagnostics import ArchspecError, Diagnostic, Source, fail
from archspec.frontend.language.files import is_library
from archspec.frontend.yaml import tree as yaml
from archspec.loading import CheckOptions, check_source
from archspec.report.units import plural

if TYPE_CHECKING:
    from archspec.fixes import Check


def check(options: Namespace) -> int:
    """Report all errors and warnings of specs; 1 if there are errors, or, with `--strict`, warnings."""
    allowed = allowed_codes(options.allow)
    found = spec_files(options.specs)
    settings = CheckOptions(
        path=options.path or (), plugins=options.plugin or (),
        params=params(options.set), input=input_shapes(options.input),
    )  # fmt: skip
    reported = list(found.errors)
    blocks: list[str] = []
    for spec in found.specs:
        try:
            source, variant = open_spec(spec)
            if options.fix or options.diff:
                check = partial(_all_variants, settings=settings)
                source = _correct(spec, source, check, only_shown=options.diff)
            if options.update_expect:
                source, failed = _update_expect(spec, source, variant, settings)
                reported += failed
            checked = check_source(source, variant, **settings)
        except ArchspecError as error:
            reported += error.diagnostics
            continue
        reported += (diagnostic for diagnostic in checked if diagnostic.code not in allowed)
        if _holds_blocks(source):
            blocks.append(spec)
    print_diagnostics(reported, options.format)
    errors = sum(diagnostic.severity == "error" for diagnostic in reported)
    if options.format != "json":
        message(*_remarks(blocks, found.skipped))
        counts = f"{plural(errors, 'error')}, {plural(len(reported) - errors, 'warning')}" if reported else "no errors"
        message(f"{_checked(len(found.specs) - len(blocks), len(blocks))}: {counts}")
    return 1 if errors or (options.strict and reported) else 0


def print_diagnostics(diagnostics: list[Diagnostic], format: str) -> None:
    """Print diagnostics to stdout in the format of `--format`."""
    if format == "json":
        print_json([diagnostic.as_json() for diagnostic in diagnostics])
    elif format == "github":
        from archspec.report.diagnostics import for_github

        print_lines(map(for_github, diagnostics))
    else:
        report(diagnostics, stderr=False)


def _all_variants(source: Source, settings: CheckOptions) -> tuple[Diagnostic, ...]:
    return check_source(source, **settings)


def _correct(spec: str, source: Source, check: Check, *, only_shown: bool) -> Source:
    """The spec as corrected, which is written to its file, or `only_shown` as a difference.

    Raises:
        ArchspecError: there is no file to write.
    """
    from difflib import unified_diff

    from archspec.fixes import corrected

    text = corrected(source, check)
    if text == source.text:
        return source
    if not only_shown:
        return rewritten(spec, source, text)
    before, after = (some.splitlines(keepends=True) for some in (source.text, text))
    print_lines(line.rstrip("\r\n") for line in unified_diff(before, after, source.name, source.name))
    return source


def _update_expect(
    spec: str, source: Source, variant: str | None, settings: CheckOptions
) -> tuple[Source, list[Diagnostic]]:
    """The spec with its facts, which are written to its file, and why they could not be written.

    Raises:
        ArchspecError: there is no file to write.
    """
    from archspec.expect_update import with_facts

    if settings.get("params") or settings.get("input"):
        help = "leave out --set and --input: `expect` holds the facts of a spec as it is written"
        raise fail("wrong-value", "--update-expect cannot be combined with other params or inputs", help=help)
    if _holds_blocks(source):
        return source, []
    text, errors = with_facts(source, variant, **settings)
    failed = [error for error in errors if error.code == "expectation-failed"]  # `check` reports the others
    return source if text == source.text else rewritten(spec, source, text), failed


def rewritten(spec: str, source: Source, text: str) -> Source:
    """The source with another text, which is written to its file.

    Raises:
        ArchspecError: the spec is standard input or part of the zoo, or its file cannot be written.
    """
    if source.path is None or source.name == STDIN:
        raise fail("unwritable-file", "standard input cannot be written", help="name a file")
    if not any(os.path.exists(name) for name in (spec, spec.rpartition(":")[0])):
        raise fail("unwritable-file", f"'{spec}' is a spec of the zoo, which stays as it is", help="copy it first")
    from archspec.lower.atomic_write import write_bytes

    start = BOM_UTF8 if source.path.read_bytes().startswith(BOM_UTF8) else b""
    write_bytes(source.path, start + text.encode("utf-8"))
    message(f"updated {source.path}")
    return Source(source.name, text, source.path)


def _holds_blocks(source: Source) -> bool:
    try:
        return is_library(yaml.parse(source)[0])
    except ArchspecError:
        return False


def _remarks(blocks: list[str], skipped: list[str]) -> Iterator[str]:
    """What was not checked, or not fully."""
    if blocks:
        yield f"read only, since a block is built where a spec calls it: {_listed(blocks)}"
    if skipped:
        yield f"skipped, since there is no key `archspec`: {_listed(skipped)}"


def _checked(specs: int, blocks: int) -> str:
    """What was checked: `2 specs and 1 file of blocks`."""
    counts = [plural(specs, "spec")] if specs or not blocks else []
    return " and ".join([*counts, *([f"{plural(blocks, 'file')} of blocks"] if blocks else [])])


def _listed(names: Iterable[str]) -> str:
    first, more = [*names][:_LISTED], len([*names]) - _LISTED
    return ", ".join(first) + (f" and {more:,} more" if more > 0 else "")


_LISTED = 5
