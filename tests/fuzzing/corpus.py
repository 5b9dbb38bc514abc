"""What fuzzing starts from: specs as text and as trees, and pieces to put into them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from archspec import zoo
from archspec.diagnostics import ArchspecError, Source
from archspec.frontend.yaml.tree import Tree, YamlMapping, YamlScalar
from archspec.frontend.yaml.tree import parse as parse_yaml
from tests.random_networks.generator import generate
from tests.random_networks.text import text_of

ROOT = Path(__file__).parent.parent.parent

PAGES = ("README.md", "specs/README.md", "specs/USAGE.md", "archspec/PLUGINS.md")
"""The pages whose examples are specs, or parts of specs."""

LARGEST = 3_000
"""The most characters of a text to start from: large specs take longer and say no more."""

WORDS = (
    "conv", "relu", "linear", "add", "concat", "flatten", "batch_norm", "max_pool", "sequential", "residual",
    "parallel", "repeat", "side", "prev", "input", "layers", "paths", "join", "over", "as", "index", "times",
    "when", "name", "from", "share", "init", "weight", "trainable", "params", "variants", "blocks", "args",
    "naming", "inputs", "outputs", "in", "expect", "default", "in.channels", "in.shape", "in.spatial", "width", "depth",
    "channels", "kernel", "stride", "padding", "groups", "bias", "same", "valid", "true", "false", "null", "no",
    "on", "yes", "~", "$i", "$width", "$(i)", "$$", "archspec",
)  # fmt: skip
"""Words of the language."""

NUMBERS = (0, 1, -1, 2, 3, 7, 64, 10**6, 10**9, 2**31, 2**63, 10**40, -(10**40), 0.5, -0.0, 1e-300, 1e308, 2.0)
"""Numbers at the limits of what is allowed."""

EXPRESSIONS = (
    "9 ** 9 ** 9", "range(10 ** 9)", "[1] * 10 ** 9", "1 / 0", "width", "2 * width + 1", "in.channels // 2", "(((1",
    "1 +", "'a' in [1, 2]", "depth - 1", "[[1, 2], [3]]", "not 1", "max([])", "sqrt(-1)", "x if y else z", "----1",
    "[i for i in range(3)]", "[[i, j] for i in range(9) for j in range(9)]", "sum(i for i in range(10 ** 6) if i % 2)",
    "[x for x in [x for x in [1]]]", "[a for a, b in [[1]]]", "'a' + 1", "[1] + [[2]]", "$(['e$i' for i in range(3)])",
    "$('e$(i - 1)' if i else 'input')", "$(range(3))", "$('$(')", "a-b", "x-1.y", "layer*-conv",
)  # fmt: skip
"""Expressions that are wrong, large or unusual."""

MARKS = (
    "\t", "\x00", "\x1b[31m", "\u202e", "\ufeff", "\x85", "\u2028", "\r\n", "\r", "&a ", "*a", "!!int ", "<<: ",
    "---\n", "...\n", "{", "}", "[", "]", ": ", "- ", "'", '"', "#", "|\n", ">-\n", "? ", "%TAG", "\U0001f600", "é",
    "卷積",
)  # fmt: skip
"""Characters that mean something in YAML, or in a terminal."""


@cache
def texts() -> tuple[str, ...]:
    """The zoo, the corpus of faulty specs, the examples of the pages, and random networks."""
    found = [path.read_text("utf-8") for path in (*zoo.files(), *zoo.files(zoo.PARTS))]
    for path in sorted((ROOT / "tests" / "faulty").glob("*.yaml")):
        if not path.stem.startswith("limits_"):
            found.append(path.read_bytes().decode("utf-8", "replace"))
    for page in PAGES:
        examples = re.findall(r"^```yaml\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
        found += [
            each if "archspec:" in each else f"archspec: 1\nname: a\ninput: [3, 32, 32]\n{each}" for each in examples
        ]
    found += [text_of(generate(seed)) for seed in range(60)]
    return tuple(text for text in found if len(text) <= LARGEST)


@cache
def trees() -> tuple[dict[str, Any], ...]:
    """The texts that are mappings, as plain data."""
    found = []
    for text in texts():
        try:
            found.append(plain(parse_yaml(Source("seed", text))[0]))
        except ArchspecError:
            continue
    return tuple(tree for tree in found if isinstance(tree, dict))


def plain(tree: Tree) -> Any:
    """A tree as plain data."""
    if isinstance(tree, YamlScalar):
        return tree.value
    if isinstance(tree, YamlMapping):
        return {key.text: plain(item) for key, item in tree.entries}
    return [plain(item) for item in tree.items]
