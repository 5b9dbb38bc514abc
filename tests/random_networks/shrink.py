"""Shrinks plain data that fails to the smallest that fails alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

Path = tuple[Any, ...]


def shrink(data: Any, fails: Callable[[Any], bool], tries: int = 2_000) -> Any:
    """The smallest data near `data` that `fails`, after at most so many tries."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in candidates(data):
            tries -= 1
            if tries < 0:
                return data
            if fails(candidate):
                data, smaller = candidate, True
                break
    return data


def candidates(data: Any) -> Iterator[Any]:
    """Smaller data, the smallest first as far as that is known: less of it, simpler parts of it, smaller numbers."""
    places = list(_places(data))
    for path, value in places:
        if path:
            yield _without(data, path)
        if isinstance(path[-1] if path else None, int):
            yield from (_with(data, path, inner) for inner in _inside(value))
    if isinstance(data, dict) and isinstance(data.get("params"), dict):
        yield from (_inlined(data, name) for name in data["params"])
    for path, value in places:
        yield from (_with(data, path, [simpler]) for simpler in _simpler(value) if path)


def _places(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every node of plain data, outer ones and later ones first."""
    yield path, data
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in reversed(list(inner)):
        yield from _places(value, (*path, key))


def _inside(value: Any) -> Iterator[list[Any]]:
    """The layers in an item, to put in its place."""
    if isinstance(value, dict) and len(value) == 1:
        (content,) = value.values()
        if isinstance(content, list):
            yield content
        elif isinstance(content, dict):
            for key in ("layers", "shortcut", "paths"):
                lists = content.get(key, [])
                lists = list(lists.values()) if isinstance(lists, dict) else lists
                yield from ([lists] if key != "paths" else lists) if lists else ()


def _simpler(value: Any) -> Iterator[Any]:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int):
        yield from dict.fromkeys(each for each in (1, value // 2, value - 1) if 0 < each < value)
    elif isinstance(value, dict) and len(value) == 1:
        yield next(iter(value))
    elif isinstance(value, list) and value and all(isinstance(each, int) for each in value):
        yield value[0]


def _with(data: Any, path: Path, values: list[Any]) -> Any:
    """The data with these values in the place of one: a list takes all of them."""
    result = deepcopy(data)
    *outer, last = path
    holder = result
    for key in outer:
        holder = holder[key]
    if isinstance(holder, list):
        holder[last : last + 1] = deepcopy(values)
    elif values:
        holder[last] = deepcopy(values[0])
    else:
        del holder[last]
    return result


def _without(data: Any, path: Path) -> Any:
    return _with(data, path, [])


def _inlined(data: dict[str, Any], name: str) -> dict[str, Any]:
    """The spec with the value of a param in its place."""

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(each) for key, each in value.items() if key != name}
        return [filled(each) for each in value] if isinstance(value, list) else values if value == name else value

    values = data["params"][name]
    return filled(data)
