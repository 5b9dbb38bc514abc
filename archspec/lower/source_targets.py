"""The targets that are Python source, by name."""

from __future__ import annotations

from importlib import import_module

from archspec.diagnostics import fail
from archspec.ir.graph import Graph
from archspec.lower.text.header import About

WRITERS = {"torch": "archspec.lower.torch.source", "keras": "archspec.lower.keras.source"}
"""Where each target's source is written; nothing of the others is imported."""


def source(graph: Graph, target: str, about: About) -> str:
    """The network as source for a target.

    Raises:
        ArchspecError: the target cannot express something the graph asks for, or there is no such target.
    """
    if target not in WRITERS:
        raise fail("wrong-target", f"there is no source for '{target}'", help=f"write {' or '.join(WRITERS)}")
    text: str = import_module(WRITERS[target]).source(graph, about)
    return text
