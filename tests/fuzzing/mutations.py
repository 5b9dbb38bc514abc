"""Mutated specs: as bytes, as text and as trees. Each function draws from the random numbers it is given."""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any

from tests.fuzzing.corpus import EXPRESSIONS, MARKS, NUMBERS, WORDS, texts, trees

LONGEST = 20_000
"""The most characters of a mutated text."""


def mutated(random: Random) -> bytes:
    """A spec with faults of any kind, as the bytes of a file."""
    draw = random.random()
    if draw < 0.4:
        return mutated_text(random).encode("utf-8", "surrogatepass")
    if draw < 0.8:
        return mutated_tree(random).encode("utf-8", "surrogatepass")
    return mutated_bytes(random, random.choice(texts()).encode("utf-8"))


def mutated_bytes(random: Random, data: bytes, most: int = 6) -> bytes:
    """Bytes of which some are changed, cut out, repeated or added."""
    changed = bytearray(data)
    for _ in range(random.randint(1, most)):
        start = random.randint(0, len(changed))
        stop = min(len(changed), start + random.choice((0, 1, 1, 2, 8, 64)))
        piece = bytes(changed[start:stop])
        changed[start:stop] = random.choice(
            (
                b"",
                bytes(random.randrange(256) for _ in range(random.randint(1, 4))),
                bytes(each ^ (1 << random.randrange(8)) for each in piece),
                piece * 3,
                random.choice(
                    (b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80")
                ),
                piece[::-1],
            )
        )
    return bytes(changed if random.random() < 0.9 else changed[: random.randint(0, len(changed))])


def mutated_text(random: Random) -> str:
    """The text of a spec with stretches of it cut, repeated, replaced, moved, or grafted from another spec."""
    text = random.choice(texts())
    for _ in range(random.randint(1, 6)):
        start = random.randint(0, len(text))
        stop = random.randint(start, min(len(text), start + random.choice((0, 5, 40, 200))))
        piece, other = text[start:stop], random.choice(texts())
        at = random.randint(0, len(other))
        new = random.choice(
            (
                "",
                piece * random.choice((2, 2, 3, 40)),
                scrap(random),
                piece + scrap(random),
                other[at : at + 80],
                "\n".join(reversed(piece.split("\n"))),
                piece.replace("\n", "\n" + " " * random.randint(1, 3)),
            )
        )
        text = (text[:start] + new + text[stop:])[:LONGEST]
    return text


def scrap(random: Random) -> str:
    """A piece that means something somewhere in a spec, or nothing."""
    kind = random.randrange(5)
    if kind == 4:
        return "".join(
            chr(random.choice((random.randrange(128), random.randrange(0xD800)))) for _ in range(random.randint(1, 8))
        )
    return str(random.choice((WORDS, EXPRESSIONS, MARKS, NUMBERS)[kind]))


def mutated_tree(random: Random) -> str:
    """A spec as JSON, which is YAML too, with nodes of it deleted, repeated, swapped, renamed or replaced."""
    tree = deepcopy(random.choice(trees()))
    for _ in range(random.randint(1, 5)):
        *outer, last = random.choice(places(tree)[1:] or [("archspec",)])
        holder = at(tree, tuple(outer))
        action = random.choice(("delete", "replace", "graft", "repeat", "rename", "wrap"))
        present = last in (holder if isinstance(holder, dict) else range(len(holder)))
        if action == "delete" and present:
            del holder[last]
        elif action == "repeat" and isinstance(holder, list):
            holder[last:last] = [deepcopy(holder[last])] * random.choice((1, 1, 20))
        elif action == "rename" and isinstance(holder, dict) and present:
            holder[scrap(random)] = holder.pop(last)
        elif action == "wrap" and present:
            holder[last] = random.choice(([holder[last]], {random.choice(WORDS): holder[last]}))
        elif action == "graft":
            other = random.choice(trees())
            holder[last] = deepcopy(at(other, random.choice(places(other))))
        else:
            holder[last] = graft(random)
    return json.dumps(tree, indent=random.choice((None, 1)), ensure_ascii=random.random() < 0.5)


def graft(random: Random, depth: int = 2) -> Any:
    """A small tree to put in the place of another."""
    kind = random.randrange(6 if depth else 3)
    if kind == 3:
        return [graft(random, depth - 1) for _ in range(random.randint(0, 3))]
    if kind > 3:
        return {random.choice(WORDS): graft(random, depth - 1) for _ in range(random.randint(0, 3))}
    return (scrap(random), random.choice(NUMBERS), random.choice((True, False, None)))[kind]


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to every node of plain data, the root's first."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def at(tree: Any, path: tuple[Any, ...]) -> Any:
    """The node at a path."""
    for key in path:
        tree = tree[key]
    return tree
