"""Classes and functions of a file, as text."""

from __future__ import annotations

from pathlib import Path

from archspec.lower.text.definitions import definitions

FILE = '''"""A module."""

import nothing_that_exists

LIMIT = 3


@nothing_that_exists.register("a")
class First:
    """A class."""

    def method(self):
        return LIMIT  # with its comment


def second():
    return First()
'''


def test_definitions_are_copied_with_their_decorators(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(FILE, "utf-8")
    found = definitions(file)
    assert list(found) == ["First", "second"]
    start = FILE.index("@nothing")
    assert found["First"] == FILE[start : FILE.index("\n\n\ndef second")] + "\n"
    assert found["second"] == "def second():\n    return First()\n"
