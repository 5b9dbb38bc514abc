"""What a network takes and returns: every input and output its spec names, in that order, whatever becomes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import archspec

ENDS = {
    "an input returned": ("input: [3]\nlayers: [relu]\noutputs: {made: relu, given: input}", "made given"),
    "an input returned first": ("input: [3]\nlayers: [relu]\noutputs: {given: input, made: relu}", "given made"),
    "one value twice": ("input: [3]\nlayers: [relu]\noutputs: {made: relu, again: relu}", "made made"),
    "an unused input": ("inputs: {input: [3], b: [2]}\nlayers: [relu: {from: input}]", "made"),
    "nothing done": ("input: [3]\nlayers: []", "given"),
    "nothing read": ("input: [3]\nlayers: [side: {name: s, layers: [linear: 4]}]", "given"),
    "numbered layers": ("input: [3]\nlayers: [relu: {name: 0}]\noutputs: {given: input, made: 0}", "given made"),
    "numbered layers, one twice": ("input: [3]\nlayers: [relu: {name: 0}]\noutputs: {made: 0, again: 0}", "made made"),
}


@pytest.mark.parametrize(("spec", "expected"), ENDS.values(), ids=ENDS)
def test_unread_inputs_and_repeated_outputs(spec: str, expected: str, tmp_path: Path) -> None:
    net = archspec.parse(f"archspec: 1\nname: n\n{spec}\n")
    given = [torch.randn(2, *value.type.sizes) for value in net.graph.inputs]
    found = net.to_torch().eval()(*(each.clone() for each in given))
    wanted = [{"given": given[0], "made": given[0].relu()}[name] for name in expected.split()]
    torch.testing.assert_close(found, wanted[0] if len(wanted) == 1 else tuple(wanted), rtol=0, atol=0)
    net.to_onnx(tmp_path / "n.onnx", verify=True)


def test_the_error_about_a_reserved_name_has_the_position_of_its_layer() -> None:
    layers = "  - sequential:\n      name: s\n      layers:\n        - linear: 4\n        - relu: {name: forward}\n"
    with pytest.raises(archspec.ArchspecError) as raised:
        archspec.parse(f"archspec: 1\nname: n\ninput: [3]\nlayers:\n{layers}").source()
    (found,) = raised.value.diagnostics
    assert found.span is not None
    assert (found.code, found.span.line) == ("unsupported", 9)


def test_a_main_with_many_inputs_and_one_output_keeps_to_the_width():
    inputs = ", ".join(f"{name}: [3, 128, 128]" for name in "abcd")
    text = archspec.parse(f"archspec: 1\nname: net\ninputs: {{{inputs}}}\nlayers: [add: [a, b, c, d]]").source()
    assert max(map(len, text.splitlines())) <= 88
    assert text.endswith("    print(tuple(output.shape))\n")
