"""Diagrams: a graph as DOT, and as SVG, PNG or PDF through whatever Graphviz there is."""

from archspec.lower.graphviz.dot import draw
from archspec.lower.graphviz.rendering import ENDINGS, Diagram, picture, render

__all__ = ["ENDINGS", "Diagram", "draw", "picture", "render"]
