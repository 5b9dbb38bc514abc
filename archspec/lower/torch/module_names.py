"""Names that children of modules and classes cannot have, because PyTorch or Python uses them."""

from __future__ import annotations

import keyword
from collections.abc import Iterator

from archspec.diagnostics import Diagnostic
from archspec.ir.graph import Graph, Scope

RESERVED = frozenset((
    "T_destination", "add_module", "apply", "bfloat16", "buffers", "call_super_init", "children", "compile", "cpu",
    "cuda", "double", "dump_patches", "eval", "extra_repr", "float", "forward", "get_buffer", "get_extra_state",
    "get_parameter", "get_submodule", "half", "ipu", "load_state_dict", "modules", "mtia", "named_buffers",
    "named_children", "named_modules", "named_parameters", "parameters", "register_backward_hook",
    "register_buffer", "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
    "register_full_backward_pre_hook", "register_load_state_dict_post_hook", "register_load_state_dict_pre_hook",
    "register_module", "register_parameter", "register_state_dict_post_hook", "register_state_dict_pre_hook",
    "requires_grad_", "set_extra_state", "set_submodule", "share_memory", "state_dict", "to", "to_empty", "train",
    "training", "type", "xpu", "zero_grad",
))  # fmt: skip
"""The public attributes of `nn.Module`; a test compares them with PyTorch's."""

NOT_CLASSES = frozenset((*keyword.kwlist, "F", "OrderedDict", "Tensor"))
"""Names that the source uses, and Python's keywords."""


def is_reserved(name: str) -> bool:
    """Whether a child of a module cannot have a name; names with a leading underscore belong to PyTorch and Python."""
    return name in RESERVED or name.startswith("_")


def reserved_names(graph: Graph) -> Iterator[Diagnostic]:
    """A warning for each layer or part whose name a child of a module cannot have."""
    return _reserved_in(graph.body)


def _reserved_in(region: Scope) -> Iterator[Diagnostic]:
    for item in region.items:
        if is_reserved(item.local_name):
            message = f"PyTorch's modules have something of their own called '{item.local_name}'"
            help = "give the layer another name, or it cannot be a module"
            yield Diagnostic("reserved-name", message, item.span, help=help)
        if isinstance(item, Scope):
            yield from _reserved_in(item)
