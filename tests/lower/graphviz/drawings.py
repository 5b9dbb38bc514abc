"""Networks to draw, and a reader of the resulting DOT."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pygraphviz import AGraph

from archspec.ir.graph import Graph
from archspec.loading import load, parse
from archspec.lower.graphviz import Diagram

ZOO = ("lenet5", "lenet5_1998", "alexnet", "vgg11_bn", "resnet18", "resnet50", "preact_resnet18", "unet", "unet_padded")

SPECS: Mapping[str, str] = {
    "inception": """
archspec: 1
name: inception
input: [3, 32, 32]
blocks:
  unit:
    args: [channels, kernel]
    layers:
      - conv: {channels: channels, kernel: kernel, padding: same}
      - relu
  inception:
    layers:
      - parallel:
          join: concat
          paths:
            one: [unit: {channels: 4, kernel: 1}]
            three: [unit: {channels: 2, kernel: 1}, unit: {channels: 6, kernel: 3}]
            pool: [max_pool: {kernel: 3, stride: 1, padding: 1}]
  head: {layers: [global_avg_pool, flatten, linear: {name: logits, features: 5}]}
layers:
  - inception: {name: a}
  - side: {name: aux, training_only: true, layers: [head]}
  - inception: {name: b}
  - head: {name: main}
outputs: [main, aux]
""",
    "siamese": """
archspec: 1
name: siamese
inputs: {left: [1, 12, 12], right: [1, 12, 12]}
blocks:
  tower: {layers: [conv: {channels: 4, kernel: 3}, relu, flatten, linear: 8]}
layers:
  - tower: {name: a, from: left}
  - tower: {name: b, from: right, share: a}
  - concat: {name: both, from: [a, b]}
  - linear: {name: first, features: 16}
  - linear: {name: second, features: 16}
  - linear: {name: third, features: 16, share: second}
""",
    "residuals": """
archspec: 1
name: residuals
input: [8, 16, 16]
blocks:
  block:
    args: {stride: 1}
    layers:
      - residual:
          layers:
            - conv: {channels: 8, kernel: 3, stride: stride, padding: 1}
            - batch_norm
          shortcut: [max_pool: {when: stride > 1, kernel: 1, stride: stride}]
      - relu
layers:
  - repeat:
      times: 2
      index: s
      name: stage$s
      layers:
        - repeat: {times: 5, index: i, layers: [block: {name: $i, stride: 2 if i == 0 else 1}]}
  - repeat: {times: 3, layers: [conv: {channels: 8, kernel: 1}, tanh]}
  - global_avg_pool
""",
    "dense": """
archspec: 1
name: dense
input: [4, 8, 8]
layers:
  - conv: {name: x0, channels: 4, kernel: 1}
  - conv: {name: x1, channels: 4, kernel: 1}
  - concat: {name: c1, from: [x0, x1]}
  - conv: {name: x2, channels: 4, kernel: 1}
  - concat: {name: c2, from: [x0, x1, x2]}
  - add: {name: twice, from: [c2, c2]}
""",
    "fractal": """
archspec: 1
name: fractal
input: [3, 8, 8]
blocks:
  fractal:
    args: [columns]
    layers:
      - conv: {when: columns == 1, channels: 8, kernel: 3, padding: 1}
      - parallel:
          when: columns > 1
          join: mean
          paths:
            deep:
              - fractal: {name: first, columns: columns - 1}
              - fractal: {name: second, columns: columns - 1}
            shallow: [conv: {channels: 8, kernel: 3, padding: 1}]
layers: [fractal: 3, flatten, linear: 4]
""",
}


@cache
def network(name: str) -> Graph:
    """The graph of a network of the zoo or of `SPECS`."""
    return parse(SPECS[name]).graph if name in SPECS else load(name).graph


Arrow = tuple[str, str]


@dataclass(frozen=True)
class ParsedDot:
    """DOT as Graphviz parses it."""

    nodes: Mapping[str, Mapping[str, str]]
    arrows: Counter[Arrow]
    edges: Mapping[Arrow, Mapping[str, str]]
    frames: Mapping[str, Mapping[str, str]]

    def label(self, name: str) -> str:
        return self.nodes[name]["label"]


def read(diagram: Diagram) -> ParsedDot:
    """The nodes, arrows and frames of a diagram; an arrow drawn backwards is reversed."""
    graph = AGraph(string=str(diagram))
    nodes = {str(node): dict(node.attr) for node in graph.nodes()}
    arrows: Counter[Arrow] = Counter()
    edges: dict[Arrow, Mapping[str, str]] = {}
    for edge in graph.edges():
        tail, head = map(str, edge)
        arrow = (head, tail) if edge.attr["dir"] == "back" else (tail, head)
        arrows[arrow] += 1
        edges[arrow] = dict(edge.attr)
    return ParsedDot(nodes, arrows, edges, _frames(graph))


def _frames(graph: AGraph) -> dict[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {}
    for inside in graph.subgraphs():
        if str(inside.name).startswith("cluster"):
            found[str(inside.name).removeprefix("cluster ")] = dict(inside.graph_attr)
        found |= _frames(inside)
    return found


def uses(graph: Graph) -> Counter[Arrow]:
    """Every use of a value as an arrow, from the layer or input that computes it to the reader."""
    producers: dict[object, str] = {value: f"in/{value.name}" for value in graph.inputs}
    producers |= {value: node.name for node in graph.nodes for value in node.outputs}
    found = Counter((producers[value], node.name) for node in graph.nodes for value in node.inputs)
    found.update((producers[output.value], f"out/{output.name}") for output in graph.outputs)
    return found
