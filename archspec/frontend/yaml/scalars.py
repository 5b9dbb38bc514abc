"""What an unquoted word of YAML means: the core schema of YAML 1.2, where `no`, `on` and `1:30` are text."""

from __future__ import annotations

import re

from archspec.diagnostics import Replacement

ScalarValue = str | int | float | bool | None

_WORDS: dict[str, ScalarValue] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+(?:_[0-9]+)*")
_BASED = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NUMBERS_START_WITH = frozenset("+-.0123456789")
_LONGEST_NUMBER = 40

_YES_OR_NO = {
    **dict.fromkeys(("yes", "on"), "true"),
    **dict.fromkeys(("no", "off"), "false"),
}


def resolve(text: str) -> ScalarValue:
    """The value of an unquoted scalar, with `_` allowed between digits.

    Numbers that are not finite, or too long to be meant, stay text.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBERS_START_WITH or len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return number if abs(number) != float("inf") else text
    return text


def yes_or_no(text: str) -> str | None:
    """The help for words that older YAML took for true and false; None for other words."""
    meant = _YES_OR_NO.get(text.lower())
    return Replacement.of(f"'{text}' is text in YAML 1.2; write {meant}", text, meant) if meant else None
