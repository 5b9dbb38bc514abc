"""Dropout of elements, channels and samples."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from archspec.ir.types import TensorType
from archspec.ops.attribute_types import Fraction
from archspec.ops.base import Op, need_float, need_spatial


class Dropout(Op):
    """Zeroes random elements in training and scales the others by 1 / (1 - p); does nothing at inference.

    Attributes:
        p: the share of elements zeroed.
    """

    kind: ClassVar[str] = "dropout"
    family: ClassVar[str] = "dropout"
    shorthand: ClassVar[str | None] = "p"
    module: ClassVar[bool] = True
    identity_at_inference: ClassVar[bool] = True

    p: Fraction = 0.5

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        need_float(self.kind, inputs[0])
        return (inputs[0],)


class SpatialDropout(Op):
    """Zeroes random channels in training and scales the others by 1 / (1 - p); does nothing at inference.

    Neighbouring positions are correlated, so dropping single elements would remove little (Tompson et al. 2015).

    Attributes:
        p: the share of channels zeroed.
    """

    kind: ClassVar[str] = "spatial_dropout"
    family: ClassVar[str] = "dropout"
    shorthand: ClassVar[str | None] = "p"
    module: ClassVar[bool] = True
    identity_at_inference: ClassVar[bool] = True

    p: Fraction = 0.5

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        need_float(self.kind, inputs[0])
        need_spatial(self.kind, inputs[0])
        return (inputs[0],)


class StochasticDepth(Op):
    """Zeroes random samples in training and scales the others by 1 / (1 - p); does nothing at inference.

    At the end of a residual branch it drops the branch and leaves the shortcut (Huang et al. 2016).

    Attributes:
        p: the share of samples zeroed.
        mode: whether to drop samples one by one (`row`) or the whole batch together (`batch`).
    """

    kind: ClassVar[str] = "stochastic_depth"
    family: ClassVar[str] = "dropout"
    shorthand: ClassVar[str | None] = "p"
    module: ClassVar[bool] = True
    identity_at_inference: ClassVar[bool] = True

    p: Fraction
    mode: Literal["row", "batch"] = "row"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        need_float(self.kind, inputs[0])
        return (inputs[0],)
