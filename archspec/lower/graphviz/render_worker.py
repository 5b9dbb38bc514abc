"""A program that renders with the Graphviz library in pygraphviz: DOT on standard input, a picture on standard output.

It runs in its own process because the library prints to the terminal and exits the process on failure. Its arguments
are the picture format and graph attributes: `png dpi=144`.
"""

import sys

from pygraphviz import AGraph

if __name__ == "__main__":
    kind, *attributes = sys.argv[1:]
    graph = AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
    graph.graph_attr.update(attribute.split("=", 1) for attribute in attributes)
    sys.stdout.buffer.write(graph.draw(format=kind, prog="dot"))
