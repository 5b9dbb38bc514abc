"""Exports a module with `torch.export`: its graph of ATen operators and its weights, at inference, with any batch size.

A program runs without archspec and without the module's source. PyTorch's compilers take it as input.
"""

from __future__ import annotations

from io import BytesIO
from keyword import iskeyword
from pathlib import Path

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from archspec.diagnostics import fail
from archspec.ir.graph import Graph
from archspec.lower import atomic_write

_BATCH = 2
"""The batch size to trace with: PyTorch treats a size of 0 or 1 as constant."""


def program(module: nn.Module, graph: Graph) -> ExportedProgram:
    """The program of a graph's module at inference, for any batch size.

    Stack traces and the inputs used for tracing are removed, so that the same network with the same weights gives the
    same bytes on every machine.

    Args:
        module: the module; it is put in eval mode.
        graph: the graph that the module was built from.

    Raises:
        ArchspecError: `torch.export` cannot trace the module, can trace it only for one batch size, or would write a
            program that cannot be loaded.
    """
    for node in graph.nodes:
        keyword = next(filter(iskeyword, node.name.split(".")), None)
        if keyword is not None and node.weights:
            message = (
                f"torch.export does not support '{graph.name}': '{keyword}', a part of a name, is a keyword of Python"
            )
            raise fail("unsupported", message, node.span, help="give the layer or the part around it another name")
    inputs = tuple(
        torch.zeros(_BATCH, *value.type.sizes, dtype=getattr(torch, value.type.dtype.value)) for value in graph.inputs
    )
    batch = Dim("batch")
    try:
        traced = torch.export.export(module.eval(), inputs, dynamic_shapes=tuple({0: batch} for _ in inputs))
    except Exception as error:  # of Dynamo, of symbolic shapes, or of the module itself
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise fail("unsupported", f"torch.export cannot trace {graph.name}: {reason}") from error
    for node in traced.graph.nodes:
        node.meta.pop("stack_trace", None)
    traced.example_inputs = None
    return traced


def save(traced: ExportedProgram, path: Path) -> None:
    """Write a program to a file atomically.

    Raises:
        ArchspecError: the file cannot be written.
    """
    archive = BytesIO()
    torch.export.save(traced, archive)
    atomic_write.write_bytes(path, archive.getvalue())
