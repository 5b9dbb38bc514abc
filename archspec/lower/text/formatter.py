"""Lays out Python code as formatters do: on one line if it fits, else indented, else one item per line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from archspec.lower.text.code_model import Argument, Call, ListLiteral, ParameterExpr, Syntax
from archspec.lower.text.numbered_runs import loop

WIDTH = 88
INDENT = "    "


@dataclass(frozen=True, slots=True)
class CallItem:
    """One argument of a call, with the text before and after it."""

    value: Argument
    before: str = ""
    after: str = ""
    comment: str = ""

    @property
    def text(self) -> str:
        return f"{self.before}{one_line(self.value)}{self.after}"


def literal(value: object) -> str:
    """A constant as Python writes it."""
    if isinstance(value, str):
        return '"' + repr("'" + value)[2:-1].replace('"', '\\"') + '"'
    if isinstance(value, ListLiteral):
        return f"[{', '.join(literal(item) for item in value)}]"
    if isinstance(value, tuple):
        inner = ", ".join(literal(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def one_line(argument: Argument) -> str:
    """An argument on one line."""
    if isinstance(argument, ParameterExpr):
        return argument.text
    if not isinstance(argument, Call):
        return literal(argument)
    if argument.template is not None:
        return argument.template.format_map({name: one_line(value) for name, value in argument.arguments.items()})
    if argument.syntax is Syntax.CHOICE:
        condition, present, absent = map(one_line, (argument.arguments["condition"], *argument.children))
        return f"{present} if {condition} else {absent}"
    if argument.syntax is Syntax.LOOP:
        return " ".join(_loop_lines(argument))
    opening, closing = _brackets(argument)
    return f"{opening}{', '.join(item.text for item in items(argument))}{closing}"


def _brackets(call: Call) -> tuple[str, str]:
    return _BRACKETS.get(call.syntax, (f"{call.callee}(", ")"))


_BRACKETS = {Syntax.LIST: ("[", "]"), Syntax.DICT: ("{", "}")}


def keyed(children: Mapping[str, Argument]) -> Call:
    """A dictionary of constructions by their names."""
    return Call("", children, syntax=Syntax.DICT)


def listed(children: Sequence[Argument]) -> Call:
    """A list of constructions; if all are equal and short, a comprehension."""
    first = children[0]
    is_short = len(one_line(first)) <= WIDTH // 2 and not _wants_lines(first)
    if len(children) >= _MIN_REPEATED and is_short and all(child == first for child in children):
        return Call("", {"all": _looped(first, len(children), "_")}, 1, syntax=Syntax.LIST)
    return Call("", {str(i): child for i, child in enumerate(children)}, len(children), syntax=Syntax.LIST)


def _looped(element: Argument, iterations: int, variable: str) -> Call:
    """A generator expression."""
    return Call(variable, {"element": element, "iterations": iterations}, syntax=Syntax.LOOP)


_LOOP = "*("
"""What stands before the element of an unpacked loop."""

_MIN_REPEATED = 3
"""The minimum number of equal constructions in a row that are written as a loop."""


def items(call: Call) -> list[CallItem]:
    """The items of a call: arguments that differ from their default, then children, equal neighbours as a loop."""
    if call.syntax is Syntax.DICT:
        return [CallItem(value, f"{literal(name)}: ") for name, value in call.arguments.items()]
    result: list[CallItem] = []
    for i, (name, value) in enumerate(call.arguments.items()):
        if i < call.positional:
            result.append(CallItem(value))
        elif name not in call.defaults or isinstance(value, ParameterExpr) or value != call.defaults[name]:
            result.append(CallItem(value, f"{name}="))
    if call.names:
        return [*result, CallItem(_ordered(call))]
    for _, run in groupby(call.children):
        children = [CallItem(child, comment=child.comment if isinstance(child, Call) else "") for child in run]
        if len(children) >= _MIN_REPEATED:
            loop = f" for _ in range({len(children)}))"
            children = [CallItem(children[0].value, _LOOP, loop, children[-1].comment)]
        result += children
    return result


def _ordered(call: Call) -> Call:
    """The children of a call with their names."""
    repeated = loop(call.names, call.children)
    if repeated is None:
        return Call("OrderedDict", dict(zip(call.names, call.children, strict=True)))
    pair = ParameterExpr(f"({repeated.name}, {one_line(repeated.child)})")
    return Call("OrderedDict", {"pairs": _looped(pair, repeated.iterations, "i")}, 1)


def assignment(target: str, argument: Argument, indent: str) -> list[str]:
    """The lines of `target = argument`."""
    return between(f"{target} = ", argument, "", indent)


def between(head: str, argument: Argument, tail: str, indent: str) -> list[str]:
    """The lines of an argument with the text before and after it."""
    return list(_lines(indent + head, argument, tail, indent))


def statement(call: Call, indent: str) -> list[str]:
    """The lines of a call as a statement."""
    return list(_lines(indent, call, "", indent))


def wrapped(line: str, tail: str = "") -> list[str]:
    """A line of text; if it is too long, the content of its last brackets is on separate lines."""
    if len(line + tail) <= WIDTH or line[-1:] not in (")", "]"):
        return [line + tail]
    indent = line[: len(line) - len(line.lstrip())]
    deeper = indent + INDENT
    start = _opening(line)
    content = line[start + 1 : -1]
    body = [deeper + content]
    if len(body[0]) > WIDTH:
        body = [part for piece in _pieces(content) for part in wrapped(deeper + piece, ",")]
    return [line[: start + 1], *body, indent + line[-1] + tail]


def _opening(line: str) -> int:
    """The position of the bracket that the last character closes."""
    level = 0
    for i in range(len(line) - 1, -1, -1):
        level += (line[i] in ")]") - (line[i] in "([")
        if level == 0:
            return i
    return 0


def _pieces(content: str) -> list[str]:
    """Text split at commas outside brackets."""
    pieces, level = [""], 0
    for mark in content:
        level += (mark in "([") - (mark in ")]")
        if mark == "," and level == 0:
            pieces.append("")
        else:
            pieces[-1] += mark
    return [piece.strip() for piece in pieces if piece.strip()]


def signature_lines(name: str, parameters: Sequence[str], returned: str, indent: str = "") -> Iterator[str]:
    """The signature of a function: on one line, with all parameters on one line, or with one parameter per line."""
    joined = ", ".join(parameters)
    line = f"{indent}def {name}({joined}) -> {returned}:"
    if len(line) <= WIDTH:
        yield line
        return
    deeper = indent + INDENT
    yield f"{indent}def {name}("
    if len(deeper + joined) <= WIDTH:
        yield deeper + joined
    else:
        yield from (f"{deeper}{parameter}," for parameter in parameters)
    yield f"{indent}) -> {returned}:"


def call_lines(head: str, items: Sequence[CallItem], tail: str, indent: str) -> Iterator[str]:
    """The lines of a call that does not fit on one: all items on one line, or one item per line."""
    deeper = indent + INDENT
    joined = deeper + ", ".join(item.text for item in items)
    yield head
    if len(joined) <= WIDTH and not any(item.comment for item in items) and not _has_many_items(items):
        yield joined
    else:
        single = len(items) == 1 and isinstance(items[0].value, Call) and items[0].value.syntax in _BRACKETS
        for item in items:
            line = f"{deeper}{item.text},"
            if isinstance(item.value, Call) and item.value.syntax is Syntax.LOOP:
                yield from (deeper + part for part in _loop_lines(item.value))
            elif (long := len(line) > WIDTH or _wants_lines(item.value)) and item.before == _LOOP:
                yield from (deeper + part for part in _unpacked_lines(item))
            elif long:
                yield from _lines(deeper + item.before, item.value, item.after + ("" if single else ","), deeper)
            elif item.comment and len(line) + len(item.comment) + 4 <= WIDTH:
                yield f"{line}  # {item.comment}"
            else:
                yield line
    yield indent + tail


def _lines(head: str, argument: Argument, tail: str, indent: str) -> Iterator[str]:
    line = head + one_line(argument) + tail
    if not isinstance(argument, Call) or (len(line) <= WIDTH and not _wants_lines(argument)):
        yield line
    elif argument.template is not None:
        yield from wrapped(head + one_line(argument), tail)
    elif argument.syntax is Syntax.CHOICE:
        yield from _choice_lines(head, argument, tail, indent)
    else:
        opening, closing = _brackets(argument)
        yield from call_lines(head + opening, items(argument), closing + tail, indent)


def _loop_lines(loop: Call) -> list[str]:
    """The element of a comprehension, and its `for` clause."""
    element, iterations = map(one_line, loop.arguments.values())
    return [element, f"for {loop.callee} in range({iterations})"]


def _unpacked_lines(item: CallItem) -> Iterator[str]:
    """The element of an unpacked loop, and its `for` clause, in brackets of their own."""
    yield item.before
    yield from _lines(INDENT, item.value, "", INDENT)
    yield f"{INDENT}{item.after.removesuffix(')').strip()}"
    yield "),"


def _choice_lines(head: str, choice: Call, tail: str, indent: str) -> Iterator[str]:
    deeper = indent + INDENT
    yield f"{head}("
    line = deeper + one_line(choice)
    if len(line) <= WIDTH:
        yield line
    else:
        present, absent = choice.children
        yield from _lines(deeper, present, "", deeper)
        yield f"{deeper}if {one_line(choice.arguments['condition'])}"
        yield from _lines(f"{deeper}else ", absent, "", deeper)
    yield f"{indent}){tail}"


def _wants_lines(argument: Argument) -> bool:
    """Whether a call is written on several lines even if it fits on one: it has comments, or more than two children."""
    return isinstance(argument, Call) and _has_many_items(items(argument))


def _has_many_items(items: Sequence[CallItem]) -> bool:
    children = [item for item in items if isinstance(item.value, Call)]
    return len(children) > 2 or any(item.comment for item in children) or any(_wants_lines(c.value) for c in children)
