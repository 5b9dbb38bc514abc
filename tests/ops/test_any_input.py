"""An op accepts or rejects any input: it raises nothing but `OpError`."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest

from archspec.ir.types import DType, TensorType
from archspec.ops import OpError
from tests.op_samples import GOOD, Sample

SIZES = ((), (1,), (8,), (3, 4), (1, 1), (4, 3, 2), (2, 9, 9), (8, 1, 1), (2, 3, 2, 2), (1, 2, 2, 2, 2), (2,) * 6)
"""No axes to more than any op accepts; one position and several."""


def facts(sample: Sample, types: tuple[TensorType, ...]) -> None:
    """Compute all facts of an op for these input types."""
    outputs = sample.op.infer(types)
    sample.op.weights(types)
    sample.op.cost(types, outputs)
    for index in range(len(types)):
        sample.op.footprint(types, outputs, index)


@pytest.mark.parametrize("kind", sorted({sample.op.kind for sample in GOOD}))
def test_an_op_accepts_or_rejects_any_input(kind: str) -> None:
    for sample in (good for good in GOOD if good.op.kind == kind):
        for sizes in itertools.product(SIZES, repeat=min(2, len(sample.inputs))):
            for dtype in DType:
                types = [
                    TensorType(shape, dtype) for shape in (*sizes, *sizes[-1:] * (len(sample.inputs) - len(sizes)))
                ]
                with suppress(OpError):
                    facts(sample, tuple(types))
