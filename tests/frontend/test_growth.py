"""The work of a check grows with the spec, not with its square, for every construct that can be repeated."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator

import pytest

from archspec.diagnostics import Diagnostic, Source
from archspec.frontend.elaborate import budget
from archspec.frontend.limits import MAX_DIAGNOSTICS
from archspec.loading import check_source

FRAME = "archspec: 1\nname: n\ninput: [3, 8, 8]\n"


def lines(text: str, count: int, start: int = 0) -> str:
    """The text with `{i}`, `{j}` and `{k}` replaced by each number, the one before it and the one after it."""
    return "".join(text.format(i=i, j=i - 1, k=i + 1) for i in range(start, count))


GROWING: dict[str, Callable[[int], str]] = {
    "layers": lambda n: FRAME + "layers:\n" + lines("  - relu\n", n),
    "named layers": lambda n: FRAME + "layers:\n" + lines("  - relu: {{name: a{i}}}\n", n),
    "different layers": lambda n: FRAME + "layers:\n" + lines("  - conv: {{channels: {k}, kernel: 1}}\n", n),
    "layers from input": lambda n: FRAME + "layers:\n" + lines("  - relu: {{from: input}}\n", n),
    "layers from first": lambda n: FRAME + "layers:\n  - relu: {name: a}\n" + lines("  - relu: {{from: a}}\n", n),
    "indexed layers": lambda n: (
        FRAME
        + "layers:\n  - sequential:\n      name: s\n      naming: index\n      layers:\n"
        + lines("        - relu\n", n)
    ),
    "unnamed sequentials": lambda n: FRAME + "layers:\n" + lines("  - sequential: [relu]\n", n),
    "named sequentials": lambda n: FRAME + "layers:\n" + lines("  - sequential: {{name: s{i}, layers: [relu]}}\n", n),
    "residuals": lambda n: FRAME + "layers:\n" + lines("  - residual: [relu]\n", n),
    "sides": lambda n: FRAME + "layers:\n" + lines("  - side: [relu]\n", n),
    "shares": lambda n: (
        FRAME
        + "layers:\n  - conv: {name: c, channels: 3, kernel: 1}\n"
        + lines("  - conv: {{channels: 3, kernel: 1, share: c}}\n", n)
    ),
    "skipped": lambda n: FRAME + "layers:\n" + lines("  - relu: {{name: r{i}, when: false}}\n", n) + "  - relu\n",
    "repeat times": lambda n: FRAME + f"layers: [repeat: {{times: {n}, layers: [relu]}}]\n",
    "repeat named": lambda n: FRAME + f"layers: [repeat: {{name: r, times: {n}, layers: [relu]}}]\n",
    "repeat over range": lambda n: (
        FRAME + f"layers: [repeat: {{over: 'range({n})', as: i, name: a$i, layers: [relu]}}]\n"
    ),
    "repeat over list": lambda n: (
        FRAME
        + "layers:\n  - repeat:\n      over:\n"
        + lines("        - {i}\n", n)
        + "      as: i\n      name: a$i\n      layers: [relu]\n"
    ),
    "repeat computed": lambda n: (
        FRAME + f"layers: [repeat: {{over: 'range({n})', as: i, layers: [conv: {{channels: i + 1, kernel: 1}}]}}]\n"
    ),
    "parallel over": lambda n: FRAME + f"layers: [parallel: {{over: 'range({n})', layers: [relu]}}]\n",
    "parallel over add": lambda n: (
        FRAME + f"layers: [parallel: {{over: 'range({n})', join: add, layers: [conv: {{channels: 3, kernel: 1}}]}}]\n"
    ),
    "parallel over mul": lambda n: FRAME + f"layers: [parallel: {{over: 'range({n})', join: mul, layers: [relu]}}]\n",
    "parallel over crop": lambda n: (
        FRAME
        + f"layers: [parallel: {{over: 'range({n})', as: i, align: center_crop, "
        + "layers: [conv: {channels: 3, kernel: 1 + i % 2}]}]\n"
    ),
    "parallel over mismatch": lambda n: (
        FRAME
        + f"layers: [parallel: {{over: 'range({n})', as: i, layers: [conv: {{channels: 3, kernel: 1 + i % 2}}]}}]\n"
    ),
    "parallel paths": lambda n: FRAME + "layers:\n  - parallel:\n      paths:\n" + lines("        p{i}: [relu]\n", n),
    "parallel list": lambda n: FRAME + "layers:\n  - parallel:\n" + lines("      - [relu]\n", n),
    "concat from": lambda n: FRAME + "layers:\n  - relu: {name: a}\n  - concat: [" + ", ".join(["a"] * n) + "]\n",
    "concat from different": lambda n: (
        FRAME
        + "layers:\n"
        + lines("  - relu: {{name: a{i}}}\n", n)
        + "  - concat: ["
        + ", ".join(f"a{i}" for i in range(n))
        + "]\n"
    ),
    "split": lambda n: (
        f"archspec: 1\nname: n\ninput: [{n}]\nlayers:\n  - split: {{axis: 1, sizes: ["
        + ", ".join(["1"] * n)
        + "]}\n  - concat\n"
    ),
    "inputs": lambda n: (
        "archspec: 1\nname: n\ninputs:\n"
        + lines("  i{i}: [3]\n", n)
        + "layers:\n  - add: ["
        + ", ".join(f"i{i}" for i in range(n))
        + "]\n"
    ),
    "inputs and layers": lambda n: (
        "archspec: 1\nname: n\ninputs:\n"
        + lines("  i{i}: [3]\n", n)
        + "layers:\n"
        + lines("  - relu: {{from: i{i}, name: r{i}}}\n", n)
        + "  - add: ["
        + ", ".join(f"r{i}" for i in range(n))
        + "]\n"
    ),
    "outputs": lambda n: (
        FRAME + "layers:\n" + lines("  - relu: {{name: a{i}}}\n", n) + "outputs:\n" + lines("  - a{i}\n", n)
    ),
    "named outputs": lambda n: FRAME + "layers:\n  - relu\noutputs:\n" + lines("  o{i}: relu\n", n),
    "params": lambda n: FRAME + "params:\n" + lines("  p{i}: {i}\n", n) + "layers: [relu]\n",
    "chain of params": lambda n: FRAME + "params:\n  p0: 1\n" + lines("  p{i}: p{j} + 1\n", n, 1) + "layers: [relu]\n",
    "params used": lambda n: (
        FRAME
        + "params:\n"
        + lines("  p{i}: 1\n", n)
        + "layers:\n"
        + lines("  - conv: {{channels: p{i}, kernel: 1}}\n", n)
    ),
    "params used with in": lambda n: (
        FRAME
        + "params:\n"
        + lines("  p{i}: 1\n", n)
        + "layers:\n"
        + lines("  - conv: {{channels: p{i} * in.channels, kernel: 1}}\n", n)
    ),
    "params below": lambda n: FRAME + "params:\n" + lines("  p{i}: p{k} + 1\n", n) + f"  p{n}: 1\nlayers: [relu]\n",
    "params with one list": lambda n: (
        FRAME
        + "params:\n  p: ["
        + ", ".join(map(str, range(n)))
        + "]\nlayers: [repeat: {over: p, as: i, layers: [relu]}]\n"
    ),
    "list read in each layer": lambda n: (
        FRAME
        + "params:\n  p: ["
        + ", ".join(["1"] * n)
        + "]\nlayers:\n"
        + lines("  - conv: {{channels: 'p[{i}]', kernel: 1}}\n", n)
    ),
    "list read in each iteration": lambda n: (
        FRAME
        + "params:\n  p: ["
        + ", ".join(["1"] * n)
        + f"]\nlayers: [repeat: {{times: {n}, index: i, layers: [conv: {{channels: 'p[i]', kernel: 1}}]}}]\n"
    ),
    "variants": lambda n: FRAME + "params: {p: 1}\nvariants:\n" + lines("  v{i}: {{p: {i}}}\n", n) + "layers: [relu]\n",
    "variants with expect": lambda n: (
        FRAME
        + "params: {p: 1}\nvariants:\n"
        + lines("  v{i}: {{p: {i}}}\n", n)
        + "layers: [relu]\nexpect:\n"
        + lines("  v{i}: {{params: 0}}\n", n)
    ),
    "variants with layers": lambda n: (
        FRAME
        + "params: {p: 1}\nvariants:\n"
        + lines("  v{i}: {{p: {i}}}\n", n)
        + "layers: [repeat: {times: 20, layers: [conv: {channels: p + 1, kernel: 1}]}]\n"
    ),
    "variants with params": lambda n: (
        FRAME
        + "params:\n"
        + lines("  p{i}: 1\n", n)
        + "variants:\n"
        + lines("  v{i}: {{p{i}: {i}}}\n", n)
        + "layers: [relu]\n"
    ),
    "blocks": lambda n: (
        FRAME + "blocks:\n" + lines("  b{i}: {{layers: [relu]}}\n", n) + "layers:\n" + lines("  - b{i}\n", n)
    ),
    "blocks unused": lambda n: FRAME + "blocks:\n" + lines("  b{i}: {{layers: [relu]}}\n", n) + "layers: [relu]\n",
    "calls": lambda n: (
        FRAME
        + "blocks:\n  b: {args: [c], layers: [conv: {channels: c, kernel: 1}]}\nlayers:\n"
        + lines("  - b: {k}\n", n)
    ),
    "arguments": lambda n: (
        FRAME + "blocks:\n  b:\n    args:\n" + lines("      a{i}: 1\n", n) + "    layers: [relu]\nlayers: [b]\n"
    ),
    "arguments in a chain": lambda n: (
        FRAME
        + "blocks:\n  b:\n    args:\n      a0: 1\n"
        + lines("      a{i}: a{j} + 1\n", n, 1)
        + "    layers: [relu]\nlayers: [b]\n"
    ),
    "arguments of a call": lambda n: (
        FRAME
        + "blocks:\n  b:\n    args:\n"
        + lines("      a{i}: 1\n", n)
        + "    layers: [relu]\nlayers:\n  - b:\n"
        + lines("      a{i}: 2\n", n)
    ),
    "expected layers": lambda n: (
        FRAME
        + "layers:\n"
        + lines("  - relu: {{name: a{i}}}\n", n)
        + "expect:\n  layers:\n"
        + lines("    a{i}: {{shape: [3, 8, 8]}}\n", n)
    ),
    "rename": lambda n: FRAME + "layers: [relu]\nrename:\n" + lines("  a{i}.*: b{i}.*\n", n),
    "allow": lambda n: FRAME + "layers: [relu]\nallow:\n" + lines("  - even-same\n", n),
    "text": lambda n: FRAME + "summary: " + "x" * 50 * n + "\nlayers: [relu]\n",
    "text of lines": lambda n: FRAME + "summary: |\n" + lines("  line {i}\n", n) + "layers: [relu]\n",
    "comments": lambda n: FRAME + "layers: [relu]\n" + lines("# line {i}\n", n),
    "blank": lambda n: FRAME + "layers: [relu]\n" + "\n" * 20 * n,
    "one line": lambda n: FRAME + "layers: [" + ", ".join(["relu"] * n) + "]\n",
    "anchors": lambda n: FRAME + "params:\n" + lines("  p{i}: &a{i} 1\n", n) + "layers: [relu]\n",
    "aliases": lambda n: FRAME + "layers:\n  - &a {conv: {channels: 3, kernel: 1}}\n" + "  - *a\n" * n,
    "init": lambda n: (
        FRAME
        + "init:\n  conv: {weight: {normal: {std: 1}}}\nlayers:\n"
        + lines("  - conv: {{channels: 3, kernel: 1}}\n", n)
    ),
    # faulty
    "unknown ops": lambda n: FRAME + "layers:\n" + lines("  - rleu\n", n),
    "different unknown ops": lambda n: FRAME + "layers:\n" + lines("  - rleu{i}\n", n),
    "unknown keys": lambda n: FRAME + "layers:\n" + lines("  - conv: {{chanels: 3, channels: 3, kernel: 1}}\n", n),
    "unknown keys of one op": lambda n: (
        FRAME + "layers:\n  - conv:\n      channels: 3\n      kernel: 1\n" + lines("      k{i}: 1\n", n)
    ),
    "unknown keys at top": lambda n: FRAME + "layers: [relu]\n" + lines("k{i}: 1\n", n),
    "unknown keys of a block": lambda n: (
        FRAME + "blocks:\n  b:\n    layers: [relu]\n" + lines("    k{i}: 1\n", n) + "layers: [b]\n"
    ),
    "duplicate keys": lambda n: FRAME + "layers: [relu]\n" + "name: n\n" * n,
    "non-text keys": lambda n: FRAME + "layers: [relu]\n" + lines("{i}: 1\n", n),
    "tags": lambda n: FRAME + "layers:\n" + "  - !x relu\n" * n,
    "unknown names": lambda n: FRAME + "layers:\n" + lines("  - conv: {{channels: width{i}, kernel: 1}}\n", n),
    "unknown names among params": lambda n: (
        FRAME
        + "params:\n"
        + lines("  width{i}: 1\n", n)
        + "layers:\n"
        + lines("  - conv: {{channels: wdith{i}, kernel: 1}}\n", n)
    ),
    "unknown layers": lambda n: FRAME + "layers:\n" + lines("  - relu: {{name: a{i}, from: b{i}}}\n", n),
    "unknown layers among many": lambda n: (
        FRAME + "layers:\n" + lines("  - relu: {{name: layer{i}}}\n", n) + lines("  - relu: {{from: lyaer{i}}}\n", n)
    ),
    "unknown outputs": lambda n: (
        FRAME + "layers:\n" + lines("  - relu: {{name: a{i}}}\n", n) + "outputs:\n" + lines("  - b{i}\n", n)
    ),
    "forward references": lambda n: FRAME + "layers:\n" + lines("  - relu: {{name: a{i}, from: a{k}}}\n", n),
    "duplicate names": lambda n: FRAME + "layers:\n" + lines("  - relu: {{name: a}}\n", n),
    "duplicate outputs": lambda n: FRAME + "layers: [relu: {name: a}]\noutputs:\n" + lines("  - a\n", n),
    "unknown arguments": lambda n: (
        FRAME + "blocks:\n  b: {args: [x], layers: [relu]}\nlayers:\n  - b:\n      x: 1\n" + lines("      a{i}: 2\n", n)
    ),
    "missing arguments": lambda n: (
        FRAME
        + "blocks:\n  b:\n    args: ["
        + ", ".join(f"a{i}" for i in range(n))
        + "]\n    layers: [relu]\nlayers: [b]\n"
    ),
    "unknown params of variants": lambda n: (
        FRAME + "params: {p: 1}\nvariants:\n" + lines("  v{i}: {{q{i}: 1}}\n", n) + "layers: [relu]\n"
    ),
    "unknown params of one variant": lambda n: (
        FRAME
        + "params:\n"
        + lines("  p{i}: 1\n", n)
        + "variants:\n  v:\n"
        + lines("    q{i}: 1\n", n)
        + "layers: [relu]\n"
    ),
    "errors of variants": lambda n: (
        FRAME
        + "params: {p: 1}\nvariants:\n"
        + lines("  v{i}: {{p: -{k}}}\n", n)
        + "layers: [conv: {channels: p, kernel: 1}]\n"
    ),
    "bad names": lambda n: FRAME + "layers:\n" + lines("  - relu: {{name: 'a {i}'}}\n", n),
    "bad expressions": lambda n: FRAME + "layers:\n" + lines("  - conv: {{channels: 3 +, kernel: 1}}\n", n),
    "wrong values": lambda n: FRAME + "layers:\n" + lines("  - conv: {{channels: -{k}, kernel: 1}}\n", n),
    "wrong shapes": lambda n: FRAME + "layers:\n" + lines("  - conv: {{from: input, channels: 3, kernel: 99}}\n", n),
    "failing repeats": lambda n: (
        FRAME
        + f"layers: [repeat: {{times: {n}, index: i, layers: [conv: {{from: input, channels: -i, kernel: 1}}]}}]\n"
    ),
    "failing calls": lambda n: (
        FRAME
        + "blocks:\n  b: {args: [c], layers: [conv: {from: input, channels: c, kernel: 1}]}\nlayers:\n"
        + lines("  - b: -{k}\n", n)
    ),
    "cycle of blocks": lambda n: (
        FRAME + "blocks:\n" + lines("  b{i}: {{layers: [b{k}]}}\n", n) + f"  b{n}: {{layers: [b0]}}\nlayers: [b0]\n"
    ),
    "cycles of blocks": lambda n: (
        FRAME + "blocks:\n" + lines("  b{i}: {{layers: [c{i}]}}\n  c{i}: {{layers: [b{i}]}}\n", n) + "layers: [relu]\n"
    ),
    "recursive blocks": lambda n: FRAME + "blocks:\n" + lines("  b{i}: {{layers: [b{i}]}}\n", n) + "layers: [relu]\n",
    "unknown blocks": lambda n: (
        FRAME + "blocks:\n" + lines("  b{i}: {{layers: [relu]}}\n", n) + "layers:\n" + lines("  - c{i}\n", n)
    ),
    "missing imports": lambda n: FRAME + "import:\n" + lines("  - blocks/a{i}.yaml\n", n) + "layers: [relu]\n",
    "wrong renames": lambda n: FRAME + "layers: [relu]\nrename:\n" + lines("  a{i}*b*: c*\n", n),
    "wrong codes": lambda n: FRAME + "layers: [relu]\nallow:\n" + lines("  - code{i}\n", n),
    "expected layers missing": lambda n: (
        FRAME
        + "layers:\n"
        + lines("  - relu: {{name: layer{i}}}\n", n)
        + "expect:\n  layers:\n"
        + lines("    lyaer{i}: {{shape: [3, 8, 8]}}\n", n)
    ),
    "expected layers wrong": lambda n: (
        FRAME
        + "layers:\n"
        + lines("  - relu: {{name: a{i}}}\n", n)
        + "expect:\n  layers:\n"
        + lines("    a{i}: {{shape: [4, 8, 8]}}\n", n)
    ),
    "unused layers": lambda n: FRAME + "layers:\n" + lines("  - relu: {{name: a{i}, from: input}}\n", n),
    "warnings": lambda n: FRAME + "layers:\n" + lines("  - conv: {{channels: 3, kernel: 1}}\n  - batch_norm\n", n),
    "unmatched quotes": lambda n: FRAME + 'summary: "' + lines("line {i}\n", n),
    "unclosed": lambda n: FRAME + "layers: [" + lines("relu,\n", n),
    "missing commas": lambda n: FRAME + "layers: [" + lines("relu\n", n) + "]",
    "texts for numbers": lambda n: FRAME + "layers:\n" + lines("  - conv: {{channels: three, kernel: 1}}\n", n),
    "lists for scalars": lambda n: FRAME + "layers:\n" + lines("  - [conv, relu]\n", n),
    "items with two keys": lambda n: FRAME + "layers:\n  - relu: {}\n" + lines("    k{i}: 1\n", n),
    "unknown initializers": lambda n: FRAME + "init:\n" + lines("  conv{i}: {{weight: 1}}\n", n) + "layers: [relu]\n",
    "outside the network": lambda n: FRAME + "layers:\n" + lines("  - dropuot\n  - cross_entropy\n  - adam\n", n),
    "bare words": lambda n: FRAME + "params:\n" + lines("  p{i}: same{i}\n", n) + "layers: [relu]\n",
    "inputs written with x": lambda n: (
        "archspec: 1\nname: n\ninputs:\n" + lines("  i{i}: 3x8x8\n", n) + "layers: [relu]\n"
    ),
}


BOUNDED = ("rename", "variants with params")
"""What has limits of its own: each rule is compared with those above it, and each variant evaluates every param."""

MEASURABLE = 0.05
"""The processor time, in seconds, from which the ratio of two runs says something."""

LARGEST = 6_400
"""The most items that are tried: limits stop many specs before they take longer."""


def checked(text: str) -> tuple[Diagnostic, ...]:
    return check_source(Source("spec.yaml", text))


def seconds(text: str) -> float:
    """The processor time of a check."""
    start = time.process_time()
    checked(text)
    return time.process_time() - start


@pytest.fixture(autouse=True)
def without_collection() -> Iterator[None]:
    """The garbage collector looks at all objects of the process, and so at those of other tests."""
    gc.disable()
    yield
    gc.enable()
    gc.collect()


@pytest.mark.parametrize("name", [name for name in GROWING if name not in BOUNDED])
def test_twice_the_spec_takes_less_than_three_times_the_work(name: str) -> None:
    make, count = GROWING[name], 400
    while seconds(make(count)) < MEASURABLE and count < LARGEST:
        count *= 2
    # Other processes can only slow a run down, so the best of several is compared.
    tries = ((seconds(make(2 * count)), seconds(make(count))) for _ in range(4))
    shortest = longest = float("inf")
    for twice, once in tries:
        longest, shortest = min(longest, twice), min(shortest, once)
        if longest < 3 * shortest or longest < MEASURABLE:
            return
    pytest.fail(f"{count} take {shortest:.3f} s, and {2 * count} take {longest:.3f} s")


# --- limits of one check ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["unknown ops", "different unknown ops", "unknown keys", "duplicate keys", "bad names",
                                  "unknown layers", "wrong values", "missing imports", "params below", "warnings",
                                  "expected layers wrong", "unknown outputs"])  # fmt: skip
def test_diagnostics_are_bounded_and_the_others_counted(name: str) -> None:
    found = checked(GROWING[name](3_000))
    assert len(found) == MAX_DIAGNOSTICS + 1
    assert found[-1].message.startswith("and ")
    assert "more warnings" in found[-1].message if name == "warnings" else "more errors" in found[-1].message
    assert sum(len(each.render()) for each in found) < 300_000


def test_errors_are_reported_before_warnings() -> None:
    text = GROWING["warnings"](MAX_DIAGNOSTICS) + "allow: []\nexpect: {params: 1, macs: 1}\n"
    found = checked(text)
    assert sum(each.severity == "error" for each in found) == 2
    assert [each.message for each in found if each.span is None or each.message.startswith("and ")] == []


def test_a_limit_holds_for_all_variants_of_a_check_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MAX_LAYERS", 3_000)
    variants = ", ".join(f"v{i}: {{p: {1_000 + i}}}" for i in range(100))
    text = f"{FRAME}params: {{p: 1}}\nvariants: {{{variants}}}\nlayers: [repeat: {{times: p, layers: [relu]}}]\n"
    found, *more = checked(text)
    assert not more, [each.render() for each in more][:3]
    # 1,000 and 1,001 layers are below the limit; with another 1,002 they are above it.
    assert found.code == "too-large"
    assert found.message == "only 2 of 100 variants were checked: all of them together are too large"
    assert found.help == "check the others one at a time: archspec check spec.yaml:v2"
    assert not check_source(Source("spec.yaml", text), "v99")


def test_many_variants_of_many_params_are_bounded() -> None:
    (found,) = [each for each in checked(GROWING["variants with params"](2_000)) if each.severity == "error"]
    assert found.code == "too-large"


def test_each_iteration_copies_its_names_within_the_limits() -> None:
    params = "params:\n" + lines("  p{i}: 1\n", 8_000)
    found = checked(FRAME + params + "layers: [repeat: {times: 200_000, index: i, layers: [relu]}]\n")
    # 200,000 iterations of 8,000 names are 1.6 billion copies, 25 million steps of 64.
    assert [each.message for each in found if each.severity == "error"] == [
        "building the network takes more than 1,000,000 steps"
    ]
