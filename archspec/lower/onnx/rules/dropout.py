"""Dropout in ONNX: at inference it does nothing."""

from __future__ import annotations

from archspec.lower.onnx.rules.common import RULES, identity
from archspec.ops.dropout import Dropout, SpatialDropout, StochasticDepth

RULES.rule(Dropout)(identity)
RULES.rule(SpatialDropout)(identity)
RULES.rule(StochasticDepth)(identity)
