"""The program that draws with the Graphviz inside pygraphviz: DOT from standard input, a picture to standard output.

It runs in a process of its own, because the library writes to the terminal and ends the process when it fails. Its
arguments are the kind of picture and attributes of the graph: `png dpi=144`.
"""

import sys

from pygraphviz import AGraph

if __name__ == "__main__":
    kind, *attributes = sys.argv[1:]
    graph = AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
    graph.graph_attr.update(attribute.split("=", 1) for attribute in attributes)
    sys.stdout.buffer.write(graph.draw(format=kind, prog="dot"))
