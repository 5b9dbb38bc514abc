"""Checks of what is said about a network: types, weights, multiply-accumulates, and the pages that show them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import prod

import torch
from torch.utils.flop_counter import FlopCounterMode

from archspec.diagnostics import Source
from archspec.ir.graph import Graph, Node
from archspec.ir.verifier import verify
from archspec.loading import check_source
from archspec.lower.graphviz import draw
from tests.op_references import results
from tests.random_networks.case import Case


def valid(case: Case) -> Iterator[str]:
    """The spec has no errors, and the verifier accepts its graph."""
    diagnostics = check_source(Source("random.yaml", case.text))
    for found in diagnostics:
        if found.severity == "error":
            yield found.render()
        elif not all(line.isprintable() for line in found.render().split("\n")):
            yield f"a warning that cannot be printed: {found.render()!r}"
    if all(found.severity == "warning" for found in diagnostics):
        verify(case.graph)


def types_and_macs(case: Case) -> Iterator[str]:
    """Each layer has the shapes and types of PyTorch's functions, and the multiply-accumulates that PyTorch counts."""
    made = {value: torch.from_numpy(case.inputs[value.name]) for value in case.graph.inputs}
    needed = needed_nodes(case.graph)
    tensors = {key: torch.from_numpy(array) for key, array in case.weights.items()}
    with FlopCounterMode(display=False) as counter:
        for node in case.graph.nodes:
            weights = {weight.name: tensors[node.weight_key(weight)] for weight in node.weights}
            before = counter.get_total_flops()
            outputs = results(node.op, [made[value] for value in node.inputs], weights)
            counted = (counter.get_total_flops() - before) // 4  # two samples, two operations each
            macs = case.network.facts.costs[node].macs
            formula = _formula(node)
            wanted = counted if formula is None else formula
            wanted = wanted if node in needed else 0
            if macs != wanted:
                yield f"'{node.name}' has {macs} multiply-accumulates instead of {wanted}"
            for value, output in zip(node.outputs, outputs, strict=True):
                if tuple(output.shape) != (2, *value.type.sizes) or output.dtype != _dtype(value.type.dtype):
                    yield f"'{value.name}' is {value.type} instead of {output.dtype} {tuple(output.shape)}"
                made[value] = output


def needed_nodes(graph: Graph) -> set[Node]:
    """The layers that an output depends on; the others never run."""
    values = {output.value for output in graph.outputs}
    needed: set[Node] = set()
    for node in reversed(graph.nodes):
        if not values.isdisjoint(node.outputs):
            values.update(node.inputs)
            needed.add(node)
    return needed


def _dtype(name: str) -> torch.dtype:
    return torch.int64 if name == "int64" else torch.float32


def _formula(node: Node) -> int | None:
    """The multiply-accumulates of ops that PyTorch's counter does not see, or sees on some devices only."""
    first = node.input_types[0]
    if node.op.kind == "radial_basis":
        return node.output_types[0].elements * first.sizes[-1]
    if node.op.kind in ("lstm", "gru", "rnn"):  # every matrix multiplies a vector at each position
        return first.sizes[0] * sum(prod(weight.shape) for weight in node.weights if len(weight.shape) == 2)
    if node.op.kind == "multi_head_attention":
        *outer, queries, features = first.sizes
        values = node.input_types[: len(node.inputs) - node.op.explicit_attributes().get("mask", False)]
        key, value = (*values, *values[-1:] * 2)[1:3]
        keys = key.sizes[-2]
        projections = 2 * queries * features**2 + keys * features * (key.sizes[-1] + value.sizes[-1])
        return prod(outer) * (projections + 2 * queries * keys * features)
    return None


def weights(case: Case) -> Iterator[str]:
    """The state dict of the module has the weights of the graph, and the counts are those of PyTorch."""
    network, module = case.network, case.network.to_torch()
    ours = {key: weight.shape for key, weight in case.graph.weights()}
    theirs = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
    if ours != theirs:
        yield f"the weights are {ours} instead of {theirs}"
    parameters = list(module.parameters())
    counts = {
        "params": (network.params, sum(each.numel() for each in parameters)),
        "trainable_params": (network.trainable_params, sum(each.numel() for each in parameters if each.requires_grad)),
        "buffers": (network.buffers, sum(each.numel() for each in module.buffers())),
    }
    for name, (actual, wanted) in counts.items():
        if actual != wanted:
            yield f"{name}: {actual} instead of {wanted}"


def pages(case: Case) -> Iterator[str]:
    """The summary, the object and the diagram can be written."""
    text = case.network.summary()
    if not all(line.isprintable() for line in text.split("\n")):
        yield "the summary has characters that cannot be printed"
    json.dumps(case.network.as_json(), allow_nan=False)
    draw(case.graph, depth=None, fold=None, rankdir="TB", show=("shapes", "names", "params", "macs", "field"))
