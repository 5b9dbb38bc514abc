"""The source text of a network in PyTorch: a file that imports only torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from archspec.diagnostics import fail
from archspec.ir.graph import Graph, Value
from archspec.lower.reserved_names import is_reserved, reserved_message
from archspec.lower.text.code_model import Argument, Call
from archspec.lower.text.constants import table_lines
from archspec.lower.text.formatter import INDENT, WIDTH, assignment, keyed, listed, signature_lines, statement, wrapped
from archspec.lower.text.header import About, quoted, title
from archspec.lower.torch.class_inference import NOT_CLASSES, Class, camel, classes, label
from archspec.lower.torch.forward import RESERVED, Forward
from archspec.lower.torch.helper_classes import helper
from archspec.lower.torch.initializers import initialization
from archspec.lower.torch.partition import is_attribute, plan


def source(graph: Graph, about: About) -> str:
    """The source text: classes, the network's last, and a main that prints the output's shape.

    Raises:
        ArchspecError: PyTorch cannot express something the graph asks for.
    """
    planned = plan(graph)
    root = class_name(graph)
    start = initialization(graph)
    helpers = [helper(*wanted) for wanted in (*start.helpers, *planned.helpers)]
    found = classes(planned, root, [name for name, _ in helpers])
    body = [*table_lines(start.tables)]
    for _, text in helpers:
        body += ["", "", *text.rstrip("\n").split("\n")]
    for each in found:
        body += ["", "", *_class(each, graph, *((about, start.lines) if each is found[-1] else ()))]
    body += ["", "", *_main(graph, root)]
    head = [title(graph.name, "PyTorch", about), "", *_imports("\n".join(body))]
    return "\n".join([*head, *body, ""])


def class_name(graph: Graph) -> str:
    """The name of the network's class."""
    name = camel(graph.name)
    return name if name[:1].isalpha() and name not in NOT_CLASSES else f"Network{name}"


def _imports(body: str) -> Iterator[str]:
    if re.search(r"\bOrderedDict\(", body):
        yield "from collections import OrderedDict"
        yield ""
    if re.search(r"\btorch\.", body):
        yield "import torch"
    if re.search(r"\bF\.", body):
        yield "import torch.nn.functional as F"
    yield "from torch import Tensor, nn"


def _class(found: Class, graph: Graph, about: About | None = None, start: Sequence[str] = ()) -> Iterator[str]:
    """One class; the root's docstring describes the network, and its constructor initializes the weights."""
    yield f"class {found.name}({found.module.container}):"
    text = about.lines(graph.name) if about else [_block_docstring(found)]
    yield from quoted(text, INDENT)
    if found.children or found.parameters.found:
        yield ""
        yield from _constructor(found, start)
    if not found.sequential and found.module.outputs:  # one that nothing reads is never called
        yield ""
        yield from _forward(found, root=about is not None)


def _block_docstring(found: Class) -> str:
    block = found.module.region.block
    times = f", used {len(found.instances)} times" if len(found.instances) > 1 else ""
    return f"The block `{block}` of the spec{times}." if block else f"The part `{label(found.module)}`{times}."


def _constructor(found: Class, extra: Sequence[str]) -> Iterator[str]:
    deeper = INDENT * 2
    parameters = [parameter.declaration for parameter in found.parameters.ordered]
    yield from signature_lines("__init__", ["self", *parameters], "None", INDENT)
    if found.sequential:
        sequence = Call("super().__init__", children=tuple(found.children.values()))
        yield from statement(sequence, deeper)
        return
    container = found.module.container
    if container in ("nn.ModuleList", "nn.ModuleDict"):
        several = listed(tuple(found.children.values())) if container == "nn.ModuleList" else keyed(found.children)
        yield from statement(Call("super().__init__", {"modules": several}, 1), deeper)
    else:
        yield f"{deeper}super().__init__()"
        for name, child in found.children.items():
            yield from _child(found, name, child, deeper)
    yield from (f"{deeper}self.{name} = {name}" for name in dict.fromkeys(found.parameters.stored))
    for line in extra:
        yield from wrapped(deeper + line)


def _child(found: Class, name: str, child: Argument, indent: str) -> Iterator[str]:
    if not is_attribute(name):
        what = "parameter" if isinstance(child, Call) and child.callee == "nn.Parameter" else "module"
        call = f"self.{'register_parameter' if what == 'parameter' else 'add_module'}"
        yield from statement(Call(call, {"name": name, what: child}, 2), indent)
        return
    if is_reserved(name):
        path = f"{found.module.name}.{name}.".lstrip(".")
        inside = (node for node in found.module.region.nodes() if f"{node.name}.".startswith(path))
        node = next(inside, None)
        raise fail(
            "unsupported",
            reserved_message(name),
            node.span if node else None,
            help="give the layer another name",
        )
    yield from assignment(f"self.{name}", child, indent)


def _forward(found: Class, *, root: bool) -> Iterator[str]:
    module = found.module
    arguments = _arguments(module.inputs)
    forward = Forward(module, found.functions, found.choices, arguments)
    typed = ["self", *(f"{argument}: Tensor" for argument in arguments)]
    yield from signature_lines("forward", typed, forward.annotation(root=root), INDENT)
    yield from forward.lines(INDENT * 2, shapes=len(found.instances) == 1, root=root)


def _arguments(inputs: Sequence[Value]) -> list[str]:
    """The names of the inputs of `forward`."""
    if len(inputs) == 1:
        return ["x"]
    names = [value.name.rpartition(".")[2] for value in inputs]
    usable = all(is_attribute(name) and name not in RESERVED for name in names)
    return names if usable and len(set(names)) == len(names) else [f"x{i}" for i in range(1, len(names) + 1)]


def _main(graph: Graph, root: str) -> Iterator[str]:
    yield 'if __name__ == "__main__":'
    inputs: list[str] = []
    for value in graph.inputs:
        sizes = ", ".join(map(str, (1, *value.type.sizes)))
        dtype = f", dtype=torch.{value.type.dtype}" if value.type.dtype != "float32" else ""
        inputs.append(f"torch.zeros({sizes}{dtype})")
    yield f"{INDENT}model = {root}().eval()"
    call = f"model({', '.join(inputs)})"
    if len(graph.inference_outputs) == 1:
        printed = f"{INDENT}print(tuple({call}.shape))"
        if len(printed) <= WIDTH:
            yield printed
        else:
            yield from wrapped(f"{INDENT}output = {call}")
            yield f"{INDENT}print(tuple(output.shape))"
    else:
        yield from wrapped(f"{INDENT}for output in {call}", ":")
        yield f"{INDENT * 2}print(tuple(output.shape))"
