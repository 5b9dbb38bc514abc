"""A module as a program of `torch.export`: its graph of ATen operators with its weights, at inference and at any batch.

A program runs where neither archspec nor the module's source is, and is what PyTorch's compilers start from.
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
"""Samples to trace with: PyTorch takes an axis of 0 or 1 for one that is always so."""


def program(module: nn.Module, graph: Graph) -> ExportedProgram:
    """The program of a graph's module at inference, for any number of samples.

    Where the module's source stood on this machine is left out, and so are the inputs it was traced with: the same
    network with the same weights is the same bytes everywhere.

    Args:
        module: the module; it is put in eval mode.
        graph: the graph it was made of.

    Raises:
        ArchspecError: `torch.export` cannot trace it, or only for one number of samples; or what it makes of it could
            not be loaded.
    """
    for node in graph.nodes:
        word = next(filter(iskeyword, node.name.split(".")), None)
        if word is not None and node.weights:
            message = f"torch.export cannot take '{graph.name}': it reads a part called '{word}' as Python's own word"
            raise fail("unsupported", message, node.span, help="name the layer or the part around it otherwise")
    inputs = tuple(
        torch.zeros(_BATCH, *value.type.sizes, dtype=getattr(torch, value.type.dtype.value)) for value in graph.inputs
    )
    batch = Dim("batch")
    try:
        traced = torch.export.export(module.eval(), inputs, dynamic_shapes=tuple({0: batch} for _ in inputs))
    except Exception as error:
        # What it raises is no closed set: Dynamo's errors, those of symbolic shapes, those of the module itself.
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise fail("unsupported", f"torch.export cannot take {graph.name}: {reason}") from error
    for node in traced.graph.nodes:
        node.meta.pop("stack_trace", None)
    traced.example_inputs = None
    return traced


def save(traced: ExportedProgram, path: Path) -> None:
    """Write a program to a file, whole or not at all.

    Raises:
        ArchspecError: the file cannot be written.
    """
    archive = BytesIO()
    torch.export.save(traced, archive)
    atomic_write.write_bytes(path, archive.getvalue())
