"""What other frameworks call things: the tables name what there is here, and nothing that needs no help."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archspec import zoo
from archspec.frontend import foreign_names
from archspec.frontend.expressions.ast import INPUT_ATTRIBUTES
from archspec.frontend.expressions.functions import FUNCTIONS
from archspec.frontend.foreign_names import (
    attribute_help,
    function_help,
    key_help,
    key_meant,
    name_help,
    op_help,
    with_space,
)
from archspec.frontend.language.blocks import BLOCK
from archspec.frontend.language.document import SPEC
from archspec.frontend.language.steps import weight_keys
from archspec.frontend.language.structures import COMMON, CONSTRUCTS
from archspec.ops import OPS
from archspec.ops.attribute_types import attributes_of

BLOCKS = Path(__file__).parents[2] / "specs" / "blocks"
HERE = {op.kind for op in OPS} | set(CONSTRUCTS)
KEYS = [{*COMMON, *weight_keys(op), *attributes_of(op)} for op in OPS] + [set(c.keys) for c in CONSTRUCTS.values()]


@pytest.mark.parametrize("word", foreign_names._OPS)
def test_what_an_op_is_called_here_is_one(word: str) -> None:
    assert foreign_names._OPS[word].split()[0] in HERE
    assert word not in HERE


@pytest.mark.parametrize("word", foreign_names._KEYS)
def test_what_a_key_is_called_here_is_one_where_the_word_is_not(word: str) -> None:
    for meant in foreign_names._KEYS[word]:
        assert any(key_meant(word, keys) == meant for keys in [*KEYS, set(SPEC), set(BLOCK)] if word not in keys)


@pytest.mark.parametrize("word", foreign_names._INSTEAD)
def test_what_nothing_here_is_called_has_no_other_name(word: str) -> None:
    assert word not in set().union(*KEYS)
    assert all(key_meant(word, keys) is None for keys in KEYS)


@pytest.mark.parametrize("word", foreign_names._OPS_INSTEAD)
def test_ops_that_nothing_here_is_called_have_no_other_name(word: str) -> None:
    assert word not in HERE | set(foreign_names._OPS)
    assert op_help(word.title(), HERE) == foreign_names._OPS_INSTEAD[word]


def test_the_file_that_is_suggested_for_a_network_has_it() -> None:
    suggested = {name: op_help(name, HERE) or "" for name, _ in zoo.names()}
    files = {name: found[1] for name, help in suggested.items() if (found := re.search(r"import: (\S+);", help))}
    assert len(files) > 60
    assert files == {name: path.name for name, path in zoo.names() if name in files}
    assert {f"{file}.yaml" for file in foreign_names._FAMILIES.values()} <= set(files.values())


@pytest.mark.parametrize("word", foreign_names._BLOCKS)
def test_suggested_blocks_exist(word: str) -> None:
    block, file = foreign_names._BLOCKS[word]
    assert word not in HERE | set(foreign_names._OPS) | set(foreign_names._OPS_INSTEAD)
    assert f"\n  {block}:" in (BLOCKS / f"{file}.yaml").read_text("utf-8")


@pytest.mark.parametrize("word", foreign_names._FUNCTIONS)
def test_what_a_function_is_called_here_is_one(word: str) -> None:
    assert foreign_names._FUNCTIONS[word] in FUNCTIONS
    assert word not in FUNCTIONS
    assert function_help(word, FUNCTIONS) == f"use '{foreign_names._FUNCTIONS[word]}'"


@pytest.mark.parametrize(
    ("word", "attribute", "help"),
    [
        ("prev", "channels", "write in.channels"),
        ("x", "shape", "write in.shape"),
        ("math", "ceil", "write ceil(...)"),
        ("params", "width", "write width"),
        ("layer", "width", None),
    ],
)
def test_attributes_that_only_the_input_has(word: str, attribute: str, help: str | None) -> None:
    assert attribute_help(word, attribute, FUNCTIONS, INPUT_ATTRIBUTES) == help


def test_the_number_of_an_iteration_is_named_by_the_repeat() -> None:
    assert name_help("i", ["width"]) == "name the iteration number in the 'repeat': index: i"
    assert name_help("width", ["widths"]) == "did you mean 'widths'?"


@pytest.mark.parametrize(
    ("word", "help"),
    [
        ("Conv2DTranspose", "did you mean 'conv_transpose'?"),
        ("Dropout2d", "use 'spatial_dropout'"),
        ("InnerProduct", "use 'linear'"),
        ("zero_padding_2d", "use 'pad'"),
        ("Interpolate", "use 'upsample'"),
        ("linear:10", "put a space after the colon: linear: 10"),
        ("conv(64, 3)", "write attributes after a colon: - conv: ..."),
        (
            "SeparableConv2D",
            "the zoo has a block for this: add import: blocks/separable_conv.yaml, and use 'separable_conv'",
        ),
        ("CrossEntropyLoss", foreign_names._LOSS),
        ("nn.Conv2d", "did you mean 'conv'?"),
        ("linaer", "did you mean 'linear'?"),
    ],
)
def test_help_for_ops(word: str, help: str) -> None:
    assert op_help(word, HERE) == help


def test_a_key_of_another_framework_goes_before_one_that_is_merely_alike() -> None:
    assert key_help("units", ["name", "init", "features"]) == "use 'features'"
    assert key_help("units", ["name", "init", "value"]) == "did you mean 'init'?"


@pytest.mark.parametrize("word", ["linear", "linear:", ":3", "http://a", "a b:c"])
def test_other_words_need_no_space(word: str) -> None:
    assert with_space(word) is None
