"""`archspec bench`: what is measured, the limits it is compared with, and its errors. Times are not tested."""

from __future__ import annotations

import json

import pytest
import torch

import archspec
from archspec.runtime import timing
from archspec.runtime.bench import BenchResult, Configuration, Measurement, bench, traffic
from archspec.runtime.timing import Limits, Spread
from tests.test_cli import run

MACS = archspec.load("lenet5").macs
QUICK = ("--seconds", "0", "--batch", "4")


def test_the_table_and_the_json_agree() -> None:
    out, _ = run("bench", "lenet5", *QUICK)
    head, how, limits, _, names, _, *rows = out.splitlines()
    assert head.startswith("lenet5, 1×32×32, on cpu (threads: ")
    assert head.endswith(f"), PyTorch {torch.__version__}")
    assert how == "float32, contiguous"
    assert limits.startswith("limits: ")
    assert names.split() == ["batch", "median", "quartiles", "samples/s", "arithmetic", "bandwidth"]
    assert [row.split()[:2] for row in rows] == [["latency", "1"], ["throughput", "4"]]

    result = json.loads(run("bench", "lenet5", *QUICK, "--json")[0])
    assert set(result) == {"network", "inputs", "device", "torch", "way", "layout", "limits", "runs"}
    assert result["inputs"] == {"input": [1, 32, 32]}
    limits = result["limits"]
    for measured, batch in zip(result["runs"], (1, 4), strict=True):
        seconds = measured["seconds"]
        assert seconds["rounds"] >= timing.FEWEST
        assert 0 < seconds["lower"] <= seconds["median"] <= seconds["upper"]
        assert measured["macs"] == batch * MACS
        assert measured["samples_per_second"] == pytest.approx(batch / seconds["median"])
        assert measured["arithmetic_share"] == pytest.approx(
            batch * MACS / seconds["median"] / limits["macs_per_second"]
        )


def test_the_configuration_reaches_the_module() -> None:
    config = Configuration(dtype="bfloat16", layout="channels_last", optimized=True)
    result = bench(archspec.load("lenet5"), config, batch=2, seconds=0)
    assert result.text().splitlines()[1] == "bfloat16, channels last, optimized"
    assert result.as_json()["way"]["optimized"]


def test_the_layout_reported_is_the_one_selected() -> None:
    """On a CPU `auto` selects channels last for networks with convolutions only."""
    for name, layout in (("lenet5", "channels_last"), ("lectures/dense:fully_connected", "contiguous")):
        result = bench(archspec.load(name), Configuration(layout="auto"), batch=2, seconds=0)
        assert result.as_json()["layout"] == layout


def test_the_table_fits_a_terminal() -> None:
    limits = Limits(macs=1.234e15, bytes=1.234e12)
    runs = [
        Measurement("latency", 1, Spread(0.0005678, 0.0005678, 0.0006789, 9), 10**6, 10**6, limits),
        Measurement("throughput", 1024, Spread(1.2345, 0.98765, 1.3456, 9), 10**13, 10**11, limits),
    ]
    result = BenchResult(
        "net", {"input": (3, 224, 224)}, Configuration(), "contiguous", "NVIDIA H200", "2.13.0+cpu", limits, tuple(runs)
    )
    assert max(map(len, result.text().splitlines())) <= 80


def test_shares_are_relative_to_the_limits() -> None:
    limits = Limits(macs=1e9, bytes=1e8)
    measured = Measurement("throughput", 8, Spread(0.5, 0.4, 0.6, 9), macs=10**8, bytes=10**7, limits=limits)
    assert measured.samples_per_second == 16
    assert measured.arithmetic_share == pytest.approx(0.2)
    assert measured.bandwidth_share == pytest.approx(0.2)
    text = BenchResult("net", {"x": (3,)}, Configuration(), "contiguous", "cpu", "2", limits, (measured,)).text()
    assert text.splitlines()[2] == "limits: 1 GMAC/s in a matrix product, 100 MB/s in a copy"
    assert text.splitlines()[-1].split() == [
        "throughput", "8", "500", "ms", "400", "to", "600", "ms", "16", "20.0%", "20.0%"
    ]  # fmt: skip


def test_a_share_above_100_percent_is_explained() -> None:
    slow, fast = (
        Measurement("latency", 1, Spread(time, time, time, 9), macs=10**8, bytes=1, limits=Limits(macs=1e9, bytes=1e8))
        for time in (0.2, 0.05)
    )
    texts = [
        BenchResult("net", {"x": (3,)}, Configuration(), "contiguous", "cpu", "2", run.limits, (run,)).text()
        for run in (slow, fast)
    ]
    assert ["fewer multiplications" in text.splitlines()[-1] for text in texts] == [False, True]
    assert all(len(line) <= 80 for line in texts[1].splitlines())


def test_quartiles_are_those_of_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    seconds = list(numpy.random.default_rng(0).random(50))
    result = Spread.of(seconds)
    assert (result.lower, result.median, result.upper) == pytest.approx(
        tuple(numpy.quantile(seconds, (0.25, 0.5, 0.75)))
    )


def test_traffic_is_weights_once_and_activations_for_each_sample() -> None:
    net = archspec.parse("archspec: 1\nname: net\ninput: [3]\nlayers: [linear: 5, relu]\n")
    weights, activations = 3 * 5 + 5, 3 + 5 + 5
    assert traffic(net, 1) == 4 * (weights + activations)
    assert traffic(net, 7, "bfloat16") == 2 * (weights + 7 * activations)


def test_training_only_layers_cause_no_traffic() -> None:
    text = (
        "archspec: 1\nname: net\ninput: [3]\nlayers:\n  - linear: 5\n"
        "  - side: {training_only: true, layers: [linear: {name: aux, features: 9}]}\n  - relu\n"
        "outputs: {output: relu, aux: aux}\n"
    )
    assert traffic(archspec.parse(text), 1) == 4 * (20 + 13)


def test_layers_that_never_run_cause_no_traffic_but_for_weights_that_others_share() -> None:
    text = (
        "archspec: 1\nname: net\ninput: [3]\nlayers:\n  - linear: {name: unused, features: 9}\n"
        "  - linear: {name: owner, from: input, features: 5}\n"
        "  - linear: {name: user, from: input, features: 5, share: owner}\n"
    )
    assert traffic(archspec.parse(text), 1) == 4 * (20 + 3 + 5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lenet5", "--device", "nowhere"), "error[wrong-device]: PyTorch has no device 'nowhere' here: "),
        (("lenet5", "--device", "meta"), "error[wrong-device]: the device 'meta' has shapes but no values"),
        (
            ("alexnet_grouped", "--dtype", "float16", "--input", "3x128x128", *QUICK),
            "error[unsupported]: PyTorch cannot run alexnet_grouped with batch 1 in float16 on cpu: ",
        ),
    ],
    ids=["no device", "meta", "no kernel"],
)
def test_errors_of_what_cannot_be_measured(arguments: tuple[str, ...], message: str) -> None:
    out, err = run("bench", *arguments, code=1)
    assert out == ""
    assert err.splitlines()[-1].startswith(message)
