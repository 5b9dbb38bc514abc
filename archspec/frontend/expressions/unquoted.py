"""Texts without quotes in an expression: `kind == basic`, `same if padded else valid`."""

from __future__ import annotations

from collections.abc import Container, Iterator

from archspec.frontend.expressions.ast import CallExpr, Expr, NameExpr
from archspec.frontend.expressions.lists import ListExpr
from archspec.frontend.expressions.operators import ArithmeticExpr, ChoiceExpr, CompareExpr, LogicExpr, UnaryExpr


def quoted(text: str, root: Expr, known: Container[str], word: str) -> str | None:
    """The text of an expression with quotes around the words that are not known and can be texts.

    It is in double quotes if YAML needs them. None if `word` is not among these words.
    """
    words = [name for name in _possible_texts(root) if name.name not in known]
    if not any(name.name == word for name in words):
        return None
    for name in sorted(words, key=lambda name: name.start, reverse=True):
        text = f"{text[: name.start]}'{name.name}'{text[name.stop :]}"
    return f'"{text}"' if text.startswith("'") else text


def _possible_texts(term: Expr) -> Iterator[NameExpr]:
    """The names where a text is allowed: compared, chosen or listed."""
    operands: tuple[Expr, ...] = ()
    match term:
        case CompareExpr(operands=compared, operators=operators):
            operands = compared
            if set(operators) <= {"==", "!=", "in", "not in"}:
                yield from (each for each in compared if isinstance(each, NameExpr))
        case ChoiceExpr(chosen=chosen, condition=condition, otherwise=otherwise):
            operands = chosen, condition, otherwise
            yield from (each for each in (chosen, otherwise) if isinstance(each, NameExpr))
        case ListExpr(items=items):
            operands = items
            yield from (each for each in items if isinstance(each, NameExpr))
        case LogicExpr(left=left, right=right) | ArithmeticExpr(left=left, right=right):
            operands = left, right
        case UnaryExpr(operand=operand):
            operands = (operand,)
        case CallExpr(arguments=arguments):
            operands = arguments
    for operand in operands:
        yield from _possible_texts(operand)
