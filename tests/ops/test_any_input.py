"""Whatever flows into an op, it is taken or refused: no other error comes out."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest

from archspec.ir.types import DType, TensorType
from archspec.ops import OpError
from tests.op_samples import GOOD, Sample

SIZES = ((), (1,), (8,), (3, 4), (1, 1), (4, 3, 2), (2, 9, 9), (8, 1, 1), (2, 3, 2, 2), (1, 2, 2, 2, 2), (2,) * 6)
"""Of no axis and of more than any op takes; of one position and of several."""


def facts(sample: Sample, types: tuple[TensorType, ...]) -> None:
    """Ask for all an op knows of inputs of these types."""
    outputs = sample.op.infer(types)
    sample.op.weights(types)
    sample.op.cost(types, outputs)
    for index in range(len(types)):
        sample.op.footprint(types, outputs, index)


@pytest.mark.parametrize("kind", sorted({sample.op.kind for sample in GOOD}))
def test_an_op_takes_its_inputs_or_refuses_them(kind: str) -> None:
    for sample in (each for each in GOOD if each.op.kind == kind):
        for sizes in itertools.product(SIZES, repeat=min(2, len(sample.inputs))):
            for dtype in DType:
                types = [TensorType(each, dtype) for each in (*sizes, *sizes[-1:] * (len(sample.inputs) - len(sizes)))]
                with suppress(OpError):
                    facts(sample, tuple(types))
