"""The source text of a network in PyTorch: a file that imports only torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archspec.ir.graph import Graph, Value
from archspec.lower.text.code_model import Argument, Call
from archspec.lower.text.constants import table_lines
from archspec.lower.text.formatter import INDENT, WIDTH, assignment, keyed, listed, signature_lines, statement, wrapped
from archspec.lower.text.header import About, quoted, title
from archspec.lower.text.names import ReservedNames, names_in, names_in_definitions, names_read
from archspec.lower.torch.class_inference import Class, camel, can_be_class, classes, label
from archspec.lower.torch.forward import Forward
from archspec.lower.torch.helper_classes import helpers
from archspec.lower.torch.initializers import initialization
from archspec.lower.torch.module_plan import ModulePlan, NetworkPlan, is_attribute
from archspec.lower.torch.partition import plan


def source(graph: Graph, about: About) -> str:
    """The source text: classes, the network's last, and a main that prints the output's shape.

    Raises:
        ArchspecError: PyTorch cannot express something the graph asks for.
    """
    modules = plan(graph)
    init = initialization(graph)
    defined = helpers((*init.helpers, *modules.helpers))
    reserved = _reserved(modules, defined.values(), init.tables)
    root = _class_name(graph, reserved)
    class_list = classes(modules, root, reserved)
    reserved = reserved.with_names(cls.name for cls in class_list)
    body = [*table_lines(init.tables)]
    for text in defined.values():
        body += ["", "", *text.rstrip("\n").split("\n")]
    for cls in class_list:
        body += ["", "", *_class(cls, graph, reserved, *((about, init.lines) if cls is class_list[-1] else ()))]
    body += ["", "", *_main(graph, root)]
    head = [title(graph.name, "PyTorch", about), "", *_imports("\n".join(body))]
    return "\n".join([*head, *body, ""])


_READ = ("self", "super", "nn", "F", "torch", "Tensor", "OrderedDict", "range", "getattr", "print")
"""Names that the text reads apart from the calls of rules. (TorchScript rejects variables called `print`.)"""


def _reserved(modules: NetworkPlan, helpers: Iterable[str], tables: Iterable[str]) -> ReservedNames:
    """The names that the text reads or defines itself, but for its classes."""
    names = {*_READ, *tables}
    for text in helpers:
        names |= names_in_definitions(text)
    for module in modules.root.modules():
        functions = (step.function for step in module.steps)
        for call in (*module.children.values(), *functions):
            if isinstance(call, Call):
                names.update(names_read(call))
    return ReservedNames(frozenset(names))


def _class_name(graph: Graph, reserved: ReservedNames) -> str:
    """The name of the network's class."""
    name = camel(graph.name)
    return name if can_be_class(name) and name not in reserved else f"Network{name}"


def _imports(body: str) -> Iterator[str]:
    names = names_in(body)
    if "OrderedDict" in names:
        yield "from collections import OrderedDict"
        yield ""
    if "torch" in names:
        yield "import torch"
    if "F" in names:
        yield "import torch.nn.functional as F"
    yield "from torch import Tensor, nn"


def _class(
    cls: Class, graph: Graph, reserved: ReservedNames, about: About | None = None, init: Sequence[str] = ()
) -> Iterator[str]:
    """One class; the root's docstring describes the network, and its constructor initializes the weights."""
    yield f"class {cls.name}({cls.module.container}):"
    text = about.lines(graph.name) if about else [_block_docstring(cls)]
    yield from quoted(text, INDENT)
    if cls.children or cls.parameters.parameters:
        yield ""
        yield from _constructor(cls, init)
    if not cls.sequential and cls.module.outputs:  # a module that nothing reads is never called
        yield ""
        yield from _forward(cls, reserved, root=about is not None)


def _block_docstring(cls: Class) -> str:
    block = cls.module.scope.block
    times = f", used {len(cls.instances)} times" if len(cls.instances) > 1 else ""
    if cls.module.dissolved:
        return f"The layers of `{block or label(cls.module)}`{times}, called by the module around them."
    return f"The block `{block}` of the spec{times}." if block else f"The part `{label(cls.module)}`{times}."


def _constructor(cls: Class, init: Sequence[str]) -> Iterator[str]:
    deeper = INDENT * 2
    parameters = [parameter.declaration for parameter in cls.parameters.ordered]
    yield from signature_lines("__init__", ["self", *parameters], "None", INDENT)
    if cls.sequential:
        sequence = Call("super().__init__", children=tuple(cls.children.values()))
        yield from statement(sequence, deeper)
        return
    container = cls.module.container
    if container in ("nn.ModuleList", "nn.ModuleDict"):
        modules = listed(tuple(cls.children.values())) if container == "nn.ModuleList" else keyed(cls.children)
        yield from statement(Call("super().__init__", {"modules": modules}, 1), deeper)
    else:
        yield f"{deeper}super().__init__()"
        for name, child in cls.children.items():
            yield from _child(name, child, deeper)
    yield from (f"{deeper}self.{name} = {name}" for name in dict.fromkeys(cls.parameters.stored))
    for line in init:
        yield from wrapped(deeper + line)


def _child(name: str, child: Argument, indent: str) -> Iterator[str]:
    if not is_attribute(name):
        kind = "parameter" if isinstance(child, Call) and child.callee == "nn.Parameter" else "module"
        call = f"self.{'register_parameter' if kind == 'parameter' else 'add_module'}"
        yield from statement(Call(call, {"name": name, kind: child}, 2), indent)
        return
    yield from assignment(f"self.{name}", child, indent)


def _forward(cls: Class, reserved: ReservedNames, *, root: bool) -> Iterator[str]:
    module = cls.module
    arguments = _arguments(module, reserved)
    forward = Forward(module, cls.functions, cls.choices, arguments, reserved)
    typed = ["self", *(f"{argument}: Tensor" for argument in arguments)]
    yield from signature_lines("forward", typed, forward.annotation(root=root), INDENT)
    for value, argument in zip(module.inputs, arguments, strict=True):
        if value in module.sized_inputs:
            yield from _size_check(argument, value, training_only=module.sized_inputs[value])
    yield from forward.lines(INDENT * 2, shapes=len(cls.instances) == 1, root=root)


def _size_check(argument: str, value: Value, *, training_only: bool) -> Iterator[str]:
    """The lines that refuse other sizes of an input than its own."""
    deeper = INDENT * 2
    sizes = ", ".join(map(str, value.type.sizes)) + ("," if len(value.type.sizes) == 1 else "")
    line = f"{deeper}if {'self.training and ' if training_only else ''}{argument}.shape[1:] != ({sizes}):"
    comment = "  # the spec reads sizes"
    yield line + comment if len(line + comment) <= WIDTH else line
    yield f'{deeper}{INDENT}raise ValueError(f"made for {value.type}, not {{{argument}.shape}}")'


def _arguments(module: ModulePlan, reserved: ReservedNames) -> list[str]:
    """The names of the inputs of `forward`: those that the block gives them, or else those of the values."""
    inputs, given = module.inputs, module.scope.names_of_values
    if len(inputs) == 1 and not module.scope.input_names:
        return ["x"]
    names = [given.get(value) or value.name.rpartition(".")[2] for value in inputs]
    usable = not any(name in reserved for name in names) and len(set(names)) == len(names)
    return names if usable else [f"x{i}" for i in range(1, len(names) + 1)]


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
