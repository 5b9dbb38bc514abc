"""Exports a module with `torch.export`: its graph of ATen operators and its weights, at inference, with any batch size.

Sizes that `symbolic_graph` has proved to be free can be dynamic, too. While tracing, PyTorch finds out what it needs of
them, such as that they are even, and the program refuses other sizes.

A program runs without archspec and without the module's source. PyTorch's compilers take it as input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from io import BytesIO
from keyword import iskeyword
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from archspec.diagnostics import fail
from archspec.ir.graph import Graph
from archspec.ir.types import format_shape
from archspec.lower import atomic_write
from archspec.lower.dynamic.dynamic_sizes import changing_axes
from archspec.lower.torch.inference import outputs
from archspec.lower.verify import OutputDifference, Runnable, Verification, rejected

_BATCH = 2
"""The batch size to trace with: PyTorch treats a size of 0 or 1 as constant."""


def write(
    path: Path,
    module: nn.Module,
    graph: Graph,
    weights: Mapping[str, Any],
    others: Sequence[Graph] | None,
    *,
    verify: bool,
) -> tuple[OutputDifference, ...]:
    """Write the program of a graph's module to a file.

    Args:
        path: the file.
        module: the module; it is put in eval mode.
        graph: the graph that the module was built from.
        weights: the weights of the module.
        others: the network at other sizes if sizes are dynamic, as `at_other_sizes` finds them; else None.
        verify: whether to keep the file only if the program, loaded again, computes what the module does.

    Returns:
        The difference of each output, if verified.

    Raises:
        ArchspecError: as for `program`; the file cannot be written, or its outputs differ.
    """
    traced = program(module, graph, {} if others is None else changing_axes(graph), others or ())
    check = Verification(lambda draft: loaded(draft, graph), graph, weights, others or ()) if verify else None
    save(traced, path, check)
    return check.differences if check else ()


def program(
    module: nn.Module, graph: Graph, dynamic: Mapping[str, Sequence[int]] | None = None, others: Sequence[Graph] = ()
) -> ExportedProgram:
    """The program of a graph's module at inference, for any batch size.

    Stack traces and the inputs used for tracing are removed, so that the same network with the same weights gives the
    same bytes on every machine.

    Args:
        module: the module; it is put in eval mode.
        graph: the graph that the module was built from.
        dynamic: the axes of inputs whose size can change, by the name of the input.
        others: the network at other sizes, which the program must accept.

    Raises:
        ArchspecError: `torch.export` cannot trace the module, can trace it only for one batch size or for some of the
            sizes, or would write a program that cannot be loaded.
    """
    for node in graph.nodes:
        keyword = next(filter(iskeyword, node.name.split(".")), None)
        if keyword is not None and node.weights:
            message = (
                f"torch.export does not support '{graph.name}': '{keyword}', a part of a name, is a keyword of Python"
            )
            raise fail("unsupported", message, node.span, help="give the layer or the part around it another name")
    batch, dynamic = Dim("batch"), dynamic or {}
    shapes = tuple({0: batch, **dict.fromkeys(dynamic.get(value.name, ()), Dim.AUTO)} for value in graph.inputs)
    try:
        traced = torch.export.export(module.eval(), _zeros(graph), dynamic_shapes=shapes)
    except Exception as error:  # of Dynamo, of symbolic shapes, or of the module itself
        raise fail("unsupported", f"torch.export cannot trace {graph.name}: {_reason(error)}") from error
    _check_sizes(traced, graph, others)
    for node in traced.graph.nodes:
        node.meta.pop("stack_trace", None)
    traced.example_inputs = None
    return traced


def _zeros(graph: Graph) -> tuple[Tensor, ...]:
    """Inputs of the sizes of a graph."""
    types = (value.type for value in graph.inputs)
    return tuple(torch.zeros(_BATCH, *type.sizes, dtype=getattr(torch, type.dtype.value)) for type in types)


def _reason(error: Exception) -> str:
    """The first line of an error's text."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _check_sizes(traced: ExportedProgram, graph: Graph, others: Sequence[Graph]) -> None:
    """Check that a program accepts other sizes.

    PyTorch may trace other operators at other sizes, such as none for a crop that crops nothing.

    Raises:
        ArchspecError: it does not.
    """
    module = traced.module() if others else None
    for other in others:
        try:
            with torch.no_grad():
                module(*_zeros(other))  # type: ignore[misc]  # there is a module if there are other sizes
        except Exception as error:  # of the checks of the program, or of its operators
            sizes = " and ".join(format_shape(value.type.spatial) for value in other.inputs)
            message = f"torch.export cannot trace {graph.name} with dynamic sizes: its program rejects {sizes}"
            notes = [("torch.export:", _reason(error))]
            help = "write an .onnx file, or a program for each size"
            raise fail("unsupported", message, notes=notes, help=help) from error


def save(traced: ExportedProgram, path: Path, accept: Callable[[Path], None] | None = None) -> None:
    """Write a program to a file atomically.

    Args:
        traced: the program.
        path: the file.
        accept: inspects the file before it is moved to `path`, and raises an error to reject it.

    Raises:
        ArchspecError: the file cannot be written.
    """
    archive = BytesIO()
    torch.export.save(traced, archive)

    def fill(draft: Path) -> None:
        atomic_write.put(draft, [archive.getvalue()])
        if accept:
            accept(draft)

    atomic_write.write(path, fill)


def loaded(path: Path, graph: Graph) -> Runnable:
    """A program, loaded again.

    Args:
        path: the file.
        graph: the graph that it was written from, for the names of its inputs and outputs.

    Raises:
        ArchspecError: PyTorch cannot load it.
    """
    try:
        module = torch.export.load(path).module()
    except Exception as error:  # of the many parts of a program
        raise rejected("torch.export", "load", error) from error
    return Runnable("torch.export", partial(outputs, module, graph))
