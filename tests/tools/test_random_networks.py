"""The tool that checks random networks: its rows and its table."""

from __future__ import annotations

import pytest

from tools import random_networks


def test_a_network_is_checked_and_counted() -> None:
    rows = random_networks._checked([5], ["PyTorch", "ONNX Runtime"])
    assert rows == [(5, (), (), rows[0][3])]
    lines = list(random_networks.table(rows, 5, 1))
    assert "networks 1, seeds 5 to 5" in lines
    assert "| PyTorch | 1 | 0 | 0 |" in lines


def test_a_failure_is_shown_once_and_counted_by_its_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = (("PyTorch: is off", "PyTorch: 'output' is off", "archspec: 1\n"),)
    monkeypatch.setattr(random_networks, "_rows", lambda *_: [[(0, failed, (), 2), (1, failed, ("Keras",), 3)]])
    monkeypatch.setattr(random_networks.sys, "argv", ["random_networks.py", "2"])
    assert random_networks.main() == 1
    printed = capsys.readouterr().out
    assert printed.count("'output' is off") == 1
    assert "5 layers" in printed
    assert "| PyTorch | 2 | 0 | 2 |" in printed
    assert "| Keras | 2 | 1 | 0 |" in printed
