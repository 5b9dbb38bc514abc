"""Correcting a spec: the edits that its errors carry are applied as far as they are safe: `archspec check --fix`.

An edit is safe if the spec has fewer errors after it, and no new ones but on the lines that it changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from archspec.diagnostics import Diagnostic, Edit, Source
from archspec.edits import edited, extent

Check = Callable[[Source], Sequence[Diagnostic]]
"""Finds the errors and warnings of a text."""

MOST_CHECKS = 60
"""The most times that a text is checked for one correction."""

_NOT_CORRECTED = "expectation-failed"
"""The code of errors in a network that `expect` finds: to correct the expectation would hide them."""


def corrected(source: Source, check: Check) -> str:
    """The text with its errors corrected as far as their edits are safe; correcting it again changes nothing."""
    errors = _errors(check(source))
    checks = 0
    while True:
        for edits in _attempts(errors, source):
            if checks == MOST_CHECKS:
                return source.text
            checks += 1
            candidate = Source(source.name, edited(source, edits), source.path)
            left = _errors(check(candidate))
            if _rank(left, candidate) < _rank(errors, source) and not _elsewhere(errors, left, edits):
                source, errors = candidate, left
                break
        else:
            return source.text


def _errors(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    return [each for each in found if each.severity == "error" and each.code != _NOT_CORRECTED]


def _attempts(errors: Sequence[Diagnostic], source: Source) -> Iterator[Sequence[Edit]]:
    """What to try: all edits at once, then those of each error."""
    own = [[edit for edit in error.corrections if edit.span.source is source] for error in errors]
    own = [edits for edits in own if edits]
    if len(own) > 1:
        yield [edit for edits in own for edit in edits]
    yield from own


def _rank(errors: Sequence[Diagnostic], source: Source) -> tuple[int, int]:
    """How wrong a text is: how much of it is left unread after an error of syntax, and how many errors are known.

    An unknown op counts for more than the errors in its attributes, which are found when it is known.
    """
    unread = max((_after(error, source) for error in errors if error.code == "yaml-syntax"), default=0)
    return unread, sum(_OF_UNKNOWN_OP if error.code == "unknown-op" else 1 for error in errors)


_OF_UNKNOWN_OP = 1_000


def _after(error: Diagnostic, source: Source) -> int:
    """The characters from the position of an error to the end of the text, and at least one."""
    start = extent(error.span)[0] if error.span is not None and error.span.source is source else 0
    return len(source.text) - start + 1


def _elsewhere(before: Sequence[Diagnostic], after: Sequence[Diagnostic], edits: Sequence[Edit]) -> bool:
    """Whether there are errors that were not there before, other than on edited lines and after an error of syntax."""
    if any(error.code == "yaml-syntax" for error in before):
        return False
    lines = {edit.span.line for edit in edits}
    new = Counter((each.code, each.message) for each in after if each.span is None or each.span.line not in lines)
    return bool(new - Counter((each.code, each.message) for each in before))
