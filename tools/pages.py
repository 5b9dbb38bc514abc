"""Generated pages and parts of pages: write them, or check that they are up to date."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LANGUAGE = ROOT / "specs" / "README.md"


def filled(text: str, parts: Mapping[str, Iterable[str]]) -> str:
    """The text with the lines between `<!-- name -->` and `<!-- /name -->` replaced, for each of the parts.

    Raises:
        KeyError: the text has no such comments.
    """
    for name, lines in parts.items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not place.search(text):
            raise KeyError(name)
        body = "".join(f"{line}\n" for line in lines)
        text = place.sub(lambda found, body=body: found[1] + body + found[2], text)  # type: ignore[misc]
    return text


def table(headings: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterable[str]:
    """The lines of a Markdown table."""
    headings = list(headings)
    for row in (headings, ["---"] * len(headings), *rows):
        cells = (str(cell).replace("|", "\\|") for cell in row)
        yield "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def main(page: Path, now: str, about: str | None) -> int:
    """Write a page, or with `--check` only report whether it is up to date. Returns the exit code of the tool."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the page is out of date")
    if not parser.parse_args().check:
        page.write_text(now, encoding="utf-8")
    elif not page.exists() or page.read_text(encoding="utf-8") != now:
        print(f"{page.relative_to(ROOT)} is out of date: run {sys.argv[0]}", file=sys.stderr)
        return 1
    return 0
