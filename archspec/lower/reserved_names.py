"""Names that a layer or scope cannot have as a child of a PyTorch module, or not in a program of `torch.export`.

This is plain data: `check` warns about these names without importing a target.
"""

from __future__ import annotations

from collections.abc import Iterator
from keyword import iskeyword

from archspec.diagnostics import Diagnostic
from archspec.ir.graph import Graph, Node, Scope

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
"""The public attributes of `torch.nn.Module`; a test compares them with PyTorch's."""

CONTAINER_METHODS = frozenset(
    ("append", "clear", "copy", "extend", "fromkeys", "insert", "items", "keys", "pop", "popitem", "setdefault",
     "update", "values")
)  # fmt: skip
"""Further public attributes of `nn.Sequential`, `nn.ModuleList` and `nn.ModuleDict`, checked by the same test."""


def is_reserved(name: str) -> bool:
    """Whether a child of a module cannot have this name; PyTorch and Python use names with a leading underscore."""
    return name in RESERVED or name.startswith("_")


def reserved_message(name: str) -> str:
    """The message of the error or warning about a reserved name."""
    if name in RESERVED:
        return f"'{name}' is the name of an attribute of torch.nn.Module"
    return f"'{name}' starts with an underscore, like the private attributes of torch.nn.Module"


def reserved_names(graph: Graph) -> Iterator[Diagnostic]:
    """A warning for each layer or scope with a reserved name."""
    return _reserved_in(graph.body)


def _reserved_in(scope: Scope) -> Iterator[Diagnostic]:
    for item in scope.items:
        if item.owner is not None or (isinstance(item, Scope) and next(item.nodes(), None) is None):
            pass  # it is no module of its own
        elif is_reserved(item.local_name):
            help = "give the layer another name, or it cannot be a module"
            yield Diagnostic("reserved-name", reserved_message(item.local_name), item.span, help=help)
        elif iskeyword(item.local_name) and _has_weights(item):
            message = f"'{item.local_name}' is a keyword of Python, which torch.export does not support in names"
            help = "give the layer another name for .pt2; other targets accept it"
            yield Diagnostic("reserved-name", message, item.span, help=help)
        if isinstance(item, Scope):
            yield from _reserved_in(item)


def _has_weights(item: Node | Scope) -> bool:
    return bool(item.weights) if isinstance(item, Node) else any(node.weights for node in item.nodes())
