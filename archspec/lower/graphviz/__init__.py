"""Diagrams: a graph as DOT text, rendered as SVG, PNG or PDF by the Graphviz that is installed."""

from archspec.lower.graphviz.dot import draw
from archspec.lower.graphviz.rendering import ENDINGS, Diagram, picture, render

__all__ = ["ENDINGS", "Diagram", "draw", "picture", "render"]
