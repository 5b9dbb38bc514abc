"""The grammar of the command line: its commands, their arguments and options, and their help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from archspec.cli import commands, output
from archspec.diagnostics import did_you_mean, visible

STANDARD_INPUT = "-"
"""The spec that means standard input."""

STDIN = "<stdin>"
"""What standard input is called in diagnostics."""

DESCRIPTION = """\
A compiler for neural-network architectures:
YAML in; checked shapes, PyTorch, ONNX and diagrams out."""

EXAMPLES = """\
examples:
  archspec check net.yaml                  report all errors and warnings
  archspec summary resnet50                shapes, parameters, MACs, fields
  archspec compile net.yaml -o net.py      PyTorch source
  archspec compile net.yaml -o net.onnx    an ONNX model
  archspec draw unet -o unet.svg           a diagram
  archspec list segmentation               networks of the zoo
  archspec show resnet50 --copy mine       a spec to start from

A SPEC is a file, FILE:VARIANT, the name of a network in the zoo, or - for
standard input. `archspec COMMAND --help` shows the options of a command.
"""


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command and its options; `run` of the result is the function to call with it.

    Help, the version and a wrong command line end the process, as argparse does: with status 0 or 2.
    """
    parser = _parser(words[:1])
    options, unknown = parser.parse_known_args(_with_variants(words))
    if unknown:
        command: _CommandParser = options.parser
        word = visible(unknown[0])
        command.error(f"unknown option {word}" if word.startswith("-") else f"unexpected {word}")
    return options


def _with_variants(words: Sequence[str]) -> list[str]:
    """The words, where `-:VARIANT` is not an option but a variant of the spec on standard input."""
    return [STDIN + word[1:] if word.startswith(f"{STANDARD_INPUT}:") else word for word in words]


class _CommandParser(argparse.ArgumentParser):
    """A parser whose errors suggest the nearest command or option."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Help, add_help=False, **options)
        self.color = False  # argparse of Python 3.14 writes escape sequences, which are not safe to print
        self._positionals.title = "arguments"
        self.add_argument("-h", "--help", action="help", help="Show this help.")

    def error(self, message: str) -> NoReturn:
        word = message.rpartition(" ")[2] if message.startswith("unknown option") else ""
        names = [name for name in self._option_string_actions if name.startswith("--")]
        help = did_you_mean(word, names) if word else None
        output.message(*self.format_usage().splitlines(), *f"error: {message}".split("\n"))
        if help:
            output.message(f"    help: {help}")
        sys.exit(2)

    def print_help(self, file: object = None) -> None:
        output.print_lines(self.format_help().splitlines())

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            names = [str(choice) for choice in action.choices]
            what = "command" if isinstance(action, argparse._SubParsersAction) else "value"
            help = did_you_mean(str(value), names) or f"choose from {', '.join(names)}"
            raise argparse.ArgumentError(
                action if what == "value" else None, f"unknown {what} '{visible(str(value))}'\n    help: {help}"
            )


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, up to 100 columns, with examples as written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=100)  # argparse makes one for every argument that is added

    def format_help(self) -> str:
        from shutil import get_terminal_size

        self._width = min(100, get_terminal_size().columns)
        self._max_help_position = min(30, max(self._width - 20, 4))
        return super().format_help()

    def add_usage(
        self, usage: str | None, actions: Iterable[argparse.Action], groups: Any, prefix: str | None = None
    ) -> None:
        super().add_usage(usage, actions, groups, "Usage: " if prefix is None else prefix)


def _parser(words: Sequence[str]) -> _CommandParser:
    """The parser of a command line that begins with these words, which needs one command only if they name it."""
    parser = _CommandParser(
        prog="archspec", usage="archspec COMMAND [OPTIONS]", description=DESCRIPTION, epilog=EXAMPLES
    )
    parser.set_defaults(parser=parser)
    parser.add_argument("--version", action="store_true", help="Print the version.")
    found = parser.add_subparsers(prog="archspec", title="commands", metavar="COMMAND", parser_class=_CommandParser)
    parser.set_defaults(run=lambda options: commands.root(options, parser.format_help))
    for add in [_COMMANDS[word] for word in words if word in _COMMANDS] or _COMMANDS.values():
        add(found)
    return parser


def _command(
    found: Any, name: str, usage: str, run: Callable[[argparse.Namespace], int], about: str, examples: str = ""
) -> _CommandParser:
    """A command; its first sentence is what the list of commands shows."""
    epilog = f"examples:\n{examples}" if examples else None
    parser: _CommandParser = found.add_parser(
        name, usage=f"archspec {name} {usage}", help=about.split("\n")[0], description=about, epilog=epilog
    )
    parser.set_defaults(run=run, parser=parser)
    return parser


# --- the commands, in the order of the help ---------------------------------------------------------------------------


def _check(found: Any) -> None:
    parser = _command(
        found, "check", "SPEC [SPEC ...] [OPTIONS]", commands.check,
        "Report all errors and warnings; exit 1 on error.",
        "  archspec check net.yaml blocks.yaml\n"
        "  archspec check specs --strict --format github\n"
        "  archspec check net.yaml --set width=32 --input 3x64x64\n",
    )  # fmt: skip
    parser.add_argument(
        "specs", nargs="+", metavar="SPEC",
        help="Files, folders, patterns such as 'specs/**/*.yaml', names in the zoo, or - for standard input.",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=("text", "json", "github"), default="text", metavar="FORMAT",
        help="How to print diagnostics: text, json or github (annotations of a workflow). Default: text.",
    )  # fmt: skip
    parser.add_argument(
        "--allow", action="append", metavar="CODE", help="Suppress this warning, by its code (repeatable)."
    )
    parser.add_argument("--strict", action="store_true", help="Exit 1 on warnings, too.")
    parser.add_argument(
        "--fix", action="store_true",
        help="Correct in the files what the help of errors says, where that is safe: misspelt and foreign names, "
        "spaces after colons, quotes.",
    )  # fmt: skip
    parser.add_argument("--diff", action="store_true", help="Show what --fix would change, and change nothing.")
    parser.add_argument(
        "--update-expect", action="store_true",
        help="Write the facts of the networks into `expect` of the files: those that are wrong, and fingerprints.",
    )  # fmt: skip
    _settings(parser)
    _imports(parser)


def _summary(found: Any) -> None:
    parser = _command(
        found, "summary", "SPEC [OPTIONS]", commands.summary,
        "Print the layers: shapes, parameters, MACs, receptive fields, memory.",
        "  archspec summary resnet50 --depth 1\n  archspec summary net.yaml --set width=32 --input 3x64x64\n",
    )  # fmt: skip
    _spec(parser)
    _depth(parser)
    _json(parser)


def _compile(found: Any) -> None:
    from archspec.lower.targets import COMPILED

    kinds = "\n".join(
        f"  {', '.join(target.suffixes):<14} {name:<9} {target.title}" for name, target in COMPILED.items()
    )
    parser = _command(
        found, "compile", "SPEC -o FILE [OPTIONS]", commands.compile,
        f"Compile to the kind of file that the ending of FILE or --target says.\n\n{kinds}",
        "  archspec compile resnet50 -o resnet50.py\n"
        "  archspec compile resnet50 -o resnet50.onnx --weights resnet50.pth --verify\n"
        "  archspec compile net.yaml:small -o net.py --target keras\n"
        "  archspec compile net.yaml -o - --target onnx > net.onnx\n",
    )  # fmt: skip
    _spec(parser)
    _output(parser, "The file to write; its ending says what.")
    parser.add_argument(
        "--target", choices=tuple(COMPILED), metavar="TARGET",
        help=f"What to write, where the ending does not say: {', '.join(COMPILED)}. Default for .py and -: torch.",
    )  # fmt: skip
    parser.add_argument(
        "--weights", type=Path, metavar="FILE",
        help="Take weights from a file of safetensors, torch.save or .npz, or an index of shards. FILE:PART selects "
        "one of several state dicts in it. Default: initial values.",
    )  # fmt: skip
    _rename(parser)
    parser.add_argument(
        "--strict", action=argparse.BooleanOptionalAction, default=None,
        help="Require all weights to fit (the default). With --no-strict, unmatched weights keep their initial values.",
    )  # fmt: skip
    parser.add_argument("--seed", type=_integer(0), metavar="N", help="Seed of the initial values. Default: 0.")
    parser.add_argument(
        "--freeze", action="append", metavar="NAME",
        help="Freeze the weights of a layer or part, as `trainable: false` in the spec does (repeatable).",
    )  # fmt: skip
    parser.add_argument(
        "-O", "--optimize", action="store_true",
        help="Make inference faster: fold batch normalization and padding, drop what only training needs.",
    )  # fmt: skip
    models = parser.add_argument_group("options for .onnx and .pt2")
    models.add_argument("--dynamic", action="store_true", default=None, help="Leave height and width symbolic.")
    models.add_argument(
        "--verify", action="store_true", default=None,
        help="Keep the file only if ONNX Runtime, or the loaded .pt2, computes what PyTorch does.",
    )  # fmt: skip
    onnx = parser.add_argument_group("options for .onnx")
    onnx.add_argument(
        "--opset", type=_integer(1), metavar="N", help="The version of ONNX's operators, from 13. Default: 22."
    )
    onnx.add_argument(
        "--no-weights", action="store_true", default=None, help="Make weights inputs of the model; store none."
    )
    onnx.add_argument(
        "--functions", action="store_true", default=None, help="Write the blocks of the spec as functions of the model."
    )


def _weights(found: Any) -> None:
    parser = _command(
        found, "weights", "SPEC FILE [OPTIONS]", commands.weights,
        "Compare the weights in a file with the network; exit 1 if one does not fit.",
        "  archspec weights resnet50 resnet50.safetensors\n",
    )  # fmt: skip
    _spec(parser)
    parser.add_argument(
        "file", type=Path, metavar="FILE",
        help="A file of safetensors, torch.save or .npz, or an index of shards. FILE:PART selects one of several state "
        "dicts in it.",
    )  # fmt: skip
    _rename(parser)
    _json(parser)


def _rename(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rename", action="append", metavar="OLD=NEW",
        help="Rename weights of the file whose names begin with OLD (repeatable). OLD= removes a prefix, "
        "OLD=~ leaves them out.",
    )  # fmt: skip


def _bench(found: Any) -> None:
    from archspec.runtime.options import LAYOUTS, PRECISIONS

    parser = _command(
        found, "bench", "SPEC [OPTIONS]", commands.bench,
        "Measure latency and throughput, and compare them with the limits of the device.",
        "  archspec bench resnet50 -O --compiled --layout auto\n  archspec bench net.yaml --device cuda --batch 256\n",
    )  # fmt: skip
    _spec(parser)
    parser.add_argument("--device", default="cpu", metavar="DEVICE", help="cpu, cuda, cuda:1 or mps. Default: cpu.")
    parser.add_argument(
        "--dtype", choices=PRECISIONS, default="float32", metavar="DTYPE",
        help=f"The precision: {', '.join(PRECISIONS)}. Default: float32.",
    )  # fmt: skip
    parser.add_argument(
        "--layout", choices=LAYOUTS, default="contiguous", metavar="LAYOUT",
        help=f"The memory layout of images: {', '.join(LAYOUTS)}; auto suits the device. Default: contiguous.",
    )  # fmt: skip
    parser.add_argument("-O", "--optimize", action="store_true", help="Optimize the network for inference first.")
    parser.add_argument("--compiled", action="store_true", help="Compile the module in the way that suits the device.")
    parser.add_argument(
        "--batch", type=_integer(1), default=32, metavar="N", help="Samples per call, for throughput. Default: 32."
    )
    parser.add_argument(
        "--seconds", type=_seconds, default=2.0, metavar="S", help="Time per measurement. Default: 2 seconds."
    )
    _json(parser)


def _draw(found: Any) -> None:
    parser = _command(
        found, "draw", "SPEC -o FILE [OPTIONS]", commands.draw,
        "Draw the network as .svg, .png, .pdf or .dot.",
        "  archspec draw unet -o unet.svg\n  archspec draw resnet50 -o a.png --depth 1 --show shapes,params\n",
    )  # fmt: skip
    _spec(parser)
    _output(parser, "The file to write: .svg, .png, .pdf or .dot.")
    parser.add_argument(
        "--format", choices=("svg", "png", "pdf", "dot"), metavar="FORMAT",
        help="What to write to standard output: svg, png, pdf or dot. Default: dot.",
    )  # fmt: skip
    _depth(parser)
    parser.add_argument(
        "--fold", action=argparse.BooleanOptionalAction, default=None,
        help="Draw consecutive equal parts once, marked ×N. Default: only with --depth.",
    )  # fmt: skip
    parser.add_argument(
        "--rankdir", choices=("TB", "LR", "BT", "RL"), default="TB", metavar="DIR",
        help="The direction from input to output: TB, LR, BT or RL. Default: TB.",
    )  # fmt: skip
    parser.add_argument(
        "--show", default="shapes,names", metavar="WHAT,...",
        help="What to write at each layer: shapes, names, params, macs, field. Default: shapes,names.",
    )  # fmt: skip


def _list(found: Any) -> None:
    parser = _command(
        found, "list", "[TEXT] [OPTIONS]", commands.list_zoo,
        "List the networks of the zoo, or those that TEXT means.",
        "  archspec list vgg\n  archspec list segmentation --sort params\n"
        "  archspec list lectures      the small examples of lectures\n"
        "  archspec list parts         examples of networks with others as parts\n",
    )  # fmt: skip
    parser.add_argument(
        "text", nargs="?", default="", metavar="TEXT",
        help="Part of a name, or a tag such as segmentation, detector or transformer. Default: all.",
    )  # fmt: skip
    parser.add_argument(
        "--sort", choices=("name", "params", "macs"), metavar="KEY", help="Sort by name, params or macs."
    )
    _json(parser, "Print a JSON list.")


def _show(found: Any) -> None:
    parser = _command(
        found, "show", "NAME [OPTIONS]", commands.show, "Print a spec or a file of blocks of the zoo.",
        "  archspec show resnet50\n  archspec show blocks/residual.yaml\n"
        "  archspec show resnet50 --copy mine      a copy to start from\n",
    )  # fmt: skip
    parser.add_argument("name", metavar="NAME", help="A network, the name of its file, or a file of blocks.")
    parser.add_argument(
        "--copy", type=Path, metavar="DIR", help="Copy it into this folder, with the files that it imports."
    )


def _schema(found: Any) -> None:
    parser = _command(
        found, "schema", "[OPTIONS]", commands.schema, "Print the JSON Schema of specs, for editors.",
        "  archspec schema > archspec.schema.json\n",
    )  # fmt: skip
    _plugins(parser)


_COMMANDS = {
    "check": _check, "summary": _summary, "compile": _compile, "weights": _weights, "bench": _bench, "draw": _draw,
    "list": _list, "show": _show, "schema": _schema,
}  # fmt: skip


# --- options that several commands have -------------------------------------------------------------------------------


def _spec(parser: _CommandParser) -> None:
    parser.add_argument(
        "spec", metavar="SPEC", help="A file, FILE:VARIANT, a name in the zoo, or - for standard input."
    )
    _settings(parser)
    _imports(parser)


def _settings(parser: _CommandParser) -> None:
    parser.add_argument("--set", action="append", metavar="PARAM=VALUE", help="Set a param of the spec (repeatable).")
    parser.add_argument(
        "--input", action="append", metavar="[NAME=]SIZES",
        help="Set the shape of an input, such as 3x512x512 (repeatable, by name).",
    )  # fmt: skip


def _imports(parser: _CommandParser) -> None:
    parser.add_argument(
        "--path", action="append", type=Path, metavar="DIR",
        help="Look for imports in this folder before the zoo (repeatable).",
    )  # fmt: skip
    _plugins(parser)


def _plugins(parser: _CommandParser) -> None:
    parser.add_argument(
        "--plugin", action="append", metavar="MODULE", help="Use the ops of this Python module (repeatable)."
    )


def _output(parser: _CommandParser, help: str) -> None:
    help += " - is standard output."
    parser.add_argument("-o", "--output", type=_file_or_stdout, required=True, metavar="FILE", help=help)


def _file_or_stdout(text: str) -> Path | None:
    """A file; None for standard output."""
    return None if text == "-" else Path(text)


def _depth(parser: _CommandParser) -> None:
    parser.add_argument("--depth", type=_integer(1), metavar="N", help="Collapse everything below this depth.")


def _json(parser: _CommandParser, help: str = "Print one JSON object.") -> None:
    parser.add_argument("--json", action="store_true", help=help)


def _integer(least: int) -> Callable[[str], int]:
    """The reader of an integer of at least `least`."""

    def read(text: str) -> int:
        value = int(text) if text.removeprefix("-").isdecimal() else None
        if value is None or value < least:
            raise argparse.ArgumentTypeError(f"expected an integer of at least {least}, got '{visible(text)}'")
        return value

    return read


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of seconds, got '{visible(text)}'")
    return value
