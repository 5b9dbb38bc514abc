"""What PyTorch refuses is a warning of `check` before, at the same place."""

from __future__ import annotations

from pathlib import Path

import pytest

from archspec.diagnostics import ArchspecError, Source
from archspec.loading import check_source, compile_source

HEAD = """\
archspec: 1
name: n
input: [3, 8, 8]
import: [blocks/conv_norm_act.yaml, cell.yaml]
allow: [heavy-layer, linear-over-maps, unused-import, unused-layer]
layers:
  - conv: {name: base, channels: 3, kernel: 3, padding: 1}
"""

CELL = """\
archspec: 1
blocks:
  cell:
    args: {inner: to}
    layers: [linear: {name: $inner, features: 8}]
"""

CONV = "channels: 3, kernel: 3, padding: 1"


@pytest.mark.parametrize(
    ("item", "line"),
    [
        ("conv_norm_act: {name: to, width: 8}", 8),
        ("cell: {name: train, inner: own}", 8),
        ("cell: {name: own}", 5),
        (f"conv: {{name: forward, {CONV}}}", 8),
        ("dropout: {name: eval, p: 0.5}", 8),
        (f"side: [conv: {{name: apply, {CONV}}}]", 8),
        ("repeat: {name: half, times: 2, layers: [linear: 8]}", 8),
        (f"parallel: {{join: add, paths: {{cpu: [conv: {{{CONV}}}], b: []}}}}", 8),
        (f"sequential: {{name: to, layers: [conv: {{share: base, {CONV}}}, linear: {{name: own, features: 8}}]}}", 8),
        (f"conv: {{share: base, {CONV}}}", None),
        (f"conv: {{share: base, {CONV}, bias: true, groups: 1}}", None),
        (f"conv: {{name: to, share: base, {CONV}}}", None),
        ("parallel: {join: add, paths: {to: [], b: []}}", None),
        ("linear: {name: class, features: 8, bias: false}", None),
    ],
)
def test_what_pytorch_refuses_is_a_warning_there(tmp_path: Path, item: str, line: int | None) -> None:
    (tmp_path / "cell.yaml").write_text(CELL)
    source = Source("spec.yaml", f"{HEAD}  - {item}\n")
    refused: tuple[int, ...] = ()
    try:
        network = compile_source(source, path=[tmp_path]).network
        assert network is not None
        network.source()
    except ArchspecError as error:
        refused = tuple(each.span.line for each in error.diagnostics if each.span)
    warned = tuple(each.span.line for each in check_source(source, path=[tmp_path]) if each.span)
    assert refused == (() if line is None else (line,))
    assert warned == refused or "class" in item


def test_names_that_torch_export_refuses_are_warnings() -> None:
    (warning,) = check_source(
        Source("s", f"{HEAD}  - sequential: {{name: class, layers: [linear: 8]}}\n".replace(", cell.yaml", ""))
    )
    assert (warning.code, warning.span and warning.span.line) == ("reserved-name", 8)
    assert "torch.export" in warning.message
