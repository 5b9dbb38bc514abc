"""Warnings about names that nothing uses, and about structures among numbered layers. `faulty` tests the wording."""

from __future__ import annotations

import pytest

from archspec.diagnostics import Source
from archspec.loading import check_source

HEAD = "archspec: 1\nname: n\ninput: [3, 8, 8]\nallow: [heavy-layer, linear-over-maps]\n"


def found(text: str) -> list[str]:
    """The code of each warning, with the word or the structure that it points at."""
    diagnostics = check_source(Source("s", HEAD + text))
    spans = [(each.code, each.span) for each in diagnostics if each.span]
    return [f"{code} {span.source.lines[span.line - 1][span.column - 1 : span.end_column - 1]}" for code, span in spans]


CONV = "conv: {channels: w, kernel: 1}"


@pytest.mark.parametrize(
    ("params", "rest"),
    [
        ("{w: 4}", f"layers: [{CONV}]"),
        ("{v: 4, w: v}", f"layers: [{CONV}]"),
        ("{v: 2, w: 3}", f"variants: {{large: {{w: 2 * v}}}}\nlayers: [{CONV}]"),
        ("{w: 3}", f"blocks: {{b: {{layers: [{CONV}]}}}}\nlayers: [b]"),
        ("{v: 3}", f"blocks: {{b: {{args: {{w: v}}, layers: [{CONV}]}}}}\nlayers: [b]"),
        ("{v: 3}", f"blocks: {{b: {{args: [w], layers: [{CONV}]}}}}\nlayers: [b: v]"),
        ("{v: relu}", "layers: [$v]"),
        ("{v: a}", "layers: [relu: {name: a}, tanh: {from: $v}]"),
        ("{v: a, w: b}", "layers: [relu: {name: $v}, tanh: {name: $(w)}]\noutputs: [$v, $w]"),
        ("{v: a}", "layers: [parallel: {paths: {$v: [], b: []}}]"),
        ("{v: true}", "layers: [relu: {when: v}]"),
        ("{v: true}", "layers: [conv: {channels: 3, kernel: 1, trainable: v}]"),
        ("{v: [[1]]}", "layers: [conv: {channels: 3, kernel: 1, bias: false, weight: v}]"),
        ("{v: a}", "layers: [conv: {name: a, channels: 3, kernel: 1}, conv: {share: $v, channels: 3, kernel: 1}]"),
        ("{v: 0.1}", "layers: [conv: {channels: 3, kernel: 1, init: {normal: {std: v}}}]"),
        ("{v: 0.1}", "init: {conv: {normal: {std: v}}}\nlayers: [conv: {channels: 3, kernel: 1}]"),
        ("{v: 2}", "layers: [repeat: {times: v, layers: [relu]}]"),
        ("{v: [1, 2]}", "layers: [parallel: {join: add, over: v, as: _, layers: [relu]}]"),
        ("{v: 1}", "layers: [residual: {layers: [relu], join: {concat: {axis: v}}}]"),
        ("{v: 1}", "layers: [repeat: {name: b$i$v, times: 2, index: i, layers: [relu]}]"),
    ],
)
def test_every_place_where_a_param_can_be_read(params: str, rest: str) -> None:
    assert found(f"params: {params}\n{rest}") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # An argument or an iteration hides the name around it.
        (f"params: {{w: 4}}\nblocks: {{b: {{args: [w], layers: [{CONV}]}}}}\nlayers: [b: 8]", "unused-param w"),
        (f"params: {{w: 4}}\nlayers: [repeat: {{over: [1, 2], as: w, layers: [{CONV}]}}]", "unused-param w"),
        (("blocks: {b: {args: [w, s], layers: [repeat: {times: 2, index: s, layers: [linear: w + s]}]}}\n"
         "layers: [b: {w: 3, s: 4}]"), "unused-argument s"),
        # A param that only `expect` reads, or only itself in a variant, changes nothing.
        ("params: {w: 3}\nlayers: [relu]\nexpect: {output: [w, 8, 8]}", "unused-param w"),
        ("params: {w: w}\nlayers: [relu]", "unused-param w"),
        (f"blocks: {{b: {{args: {{w: 3, s: w}}, layers: [{CONV}]}}}}\nlayers: [b]", "unused-argument s"),
        (f"blocks: {{b: {{args: {{v: 3, w: v}}, layers: [{CONV}]}}}}\nlayers: [b]", None),
        ("blocks: {b: {args: [act], layers: [$act]}}\nlayers: [b: relu]", None),
        # Entries of iterations.
        (f"layers: [repeat: {{over: [[3, 4]], as: [w, v], layers: [{CONV}]}}]", "unused-variable repeat"),
        (f"layers: [repeat: {{over: [[3, 4]], as: [w, _v], index: _i, layers: [{CONV}]}}]", None),
        ("layers: [repeat: {name: block$w, over: [3, 4], as: w, layers: [relu]}]", None),
        ("layers: [repeat: {times: 2, index: i, layers: [relu]}]", None),
        ("layers: [parallel: {over: [1, 2], as: rate, layers: [relu]}]", "unused-variable parallel"),
        # Blocks: one warning for those that only an unused block calls; a computed name may be that of any block.
        ("blocks: {a: {layers: [b, c]}, b: {layers: [c]}, c: {layers: [relu]}}\nlayers: [c]", "unused-block a"),
        (("blocks: {a: {args: [n], layers: [b: {when: n > 0, n: n - 1}]}, b: {args: [n], layers: [a: n]}}\n"
         "layers: [relu]"), "unused-block a"),
        ("params: {k: 1}\nblocks: {b1: {layers: [relu]}, b2: {layers: [relu]}, c: {layers: [relu]}}\nlayers: [b$k]",
         "unused-block c"),
        ("params: {k: b}\nblocks: {b: {layers: [relu]}, c: {layers: [relu]}}\nlayers: [$k]", None),
        ("import: [blocks/residual.yaml, blocks/inception.yaml]\nlayers: [basic: 3]",
         "unused-import blocks/inception.yaml"),
        ("import: blocks/residual.yaml\nblocks: {b: {layers: [basic: 3]}}\nlayers: [b]", None),
        ("import: blocks/residual.yaml\nparams: {k: basic}\nlayers: [$k: {width: 3}]", None),
        # Structures among numbered layers.
        ("layers: [sequential: {naming: index, layers: [residual: [relu]]}]", "unnumbered-structure residual"),
        ("layers: [sequential: {naming: index, layers: [parallel: {paths: {a: [], b: []}}]}]",
         "unnumbered-structure parallel"),
        ("layers: [sequential: {naming: index, layers: [sequential: [relu]]}]", "unnumbered-structure sequential"),
        ("layers: [sequential: {naming: index, layers: [repeat: {times: 2, layers: [residual: [relu]]}]}]",
         "unnumbered-structure residual"),
        ("blocks: {b: {naming: index, layers: [residual: [relu]]}}\nlayers: [b]", "unnumbered-structure residual"),
        ("layers: [sequential: {naming: index, layers: [residual: {name: 0, layers: [relu]}]}]", None),
        ("layers: [sequential: {naming: index, layers: [sequential: {naming: index, layers: [relu]}]}]", None),
        ("layers: [sequential: {naming: index, layers: [sequential: {when: true, layers: [relu]}]}]", None),
        ("layers: [sequential: {naming: index, layers: [sequential: {layers: [relu: {name: a}]}]}]", None),
        ("layers: [sequential: {naming: index, layers: [repeat: {times: 2, layers: [relu]}]}]", None),
        ("layers: [sequential: {naming: index, layers: [repeat: {name: b, times: 2, layers: [residual: [relu]]}]}]",
         None),
        ("layers: [sequential: {layers: [residual: [relu]]}]", None),
    ],
)  # fmt: skip
def test_warnings_point_at_what_is_unused(text: str, expected: str | None) -> None:
    assert found(text) == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("params: {w: 4}\nblocks: {a: {layers: [relu]}}", ["unused-param w"]),
        ("params: {w: 4}\nblocks: {a: {args: [s], layers: [linear: w]}}", ["unused-argument s"]),
        ("import: blocks/residual.yaml\nblocks: {a: {layers: [relu]}}", ["unused-import blocks/residual.yaml"]),
        ("import: blocks/residual.yaml\nblocks: {a: {layers: [basic: 3]}}", []),
        ("blocks: {a: {naming: index, layers: [residual: [relu]]}}", ["unnumbered-structure residual"]),
    ],
)
def test_files_of_blocks_have_warnings_too(text: str, expected: list[str]) -> None:
    diagnostics = check_source(Source("s", f"archspec: 1\n{text}"))
    spans = [(each.code, each.span) for each in diagnostics if each.span]
    assert [
        f"{code} {span.source.lines[span.line - 1][span.column - 1 : span.end_column - 1]}" for code, span in spans
    ] == expected


def test_an_argument_of_an_imported_block_that_is_never_used(tmp_path) -> None:
    (tmp_path / "parts.yaml").write_text("archspec: 1\nblocks: {a: {args: {s: 1}, layers: [relu]}}")
    spec = f"{HEAD}import: parts.yaml\nlayers: [a: 2]"
    (warning,) = check_source(Source("s", spec), path=[tmp_path])
    assert warning.code == "unused-argument"
    assert str(warning.span).endswith("parts.yaml:2:21")
