"""Building a network again from its spec at other sizes of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.diagnostics import ArchspecError, fail
from archspec.frontend.elaborate.builder import build
from archspec.frontend.elaborate.overrides import settings
from archspec.frontend.language.spec import Spec
from archspec.ir.graph import Graph
from archspec.lower.onnx.dynamic_sizes import no_other_size, other_sizes
from archspec.lower.onnx.model import at_any_size
from archspec.lower.optimize import optimized
from archspec.lower.weights import initial


def at_other_sizes(
    graph: Graph, spec: Spec | None, variant: str | None, params: Mapping[str, Any], *, optimize: bool
) -> list[Graph]:
    """The graphs of a network at those other sizes that it accepts.

    Args:
        graph: the network at its own sizes.
        spec: the spec it was built from.
        variant: the variant of the spec.
        params: the params that override those of the spec.
        optimize: whether to optimize the graphs, as `graph` is.

    Raises:
        ArchspecError: there is no spec, no other size is accepted, or the network differs between sizes.
    """
    if spec is None:
        message = f"'{graph.name}' has no spec to build it from at other sizes"
        raise fail("unsupported", message, help="export it at one size, or build the graph at each size that is needed")
    graphs: list[Graph] = []
    errors: list[ArchspecError] = []
    for sizes in other_sizes(graph):
        built = build(spec, graph.name, settings(spec, variant, params, sizes))
        if built.diagnostics:
            errors.append(ArchspecError(built.diagnostics))
        elif optimize:  # how a graph is optimized does not depend on the values of its weights
            graphs.append(optimized(built.graph, initial(built.graph))[0])
        else:
            graphs.append(built.graph)
    if not graphs:
        raise no_other_size(graph, errors)
    return at_any_size(graph, graphs)
