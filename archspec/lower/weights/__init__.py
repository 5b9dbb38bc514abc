"""Weights outside any framework: arrays by their names in the state dict, first values, files, and whether they fit."""

from archspec.lower.weights.initializers import initial
from archspec.lower.weights.loading import Weights, examined, fitted, from_module, given, loaded, to_file
from archspec.lower.weights.report import WeightsReport

__all__ = [
    "Weights",
    "WeightsReport",
    "examined",
    "fitted",
    "from_module",
    "given",
    "initial",
    "loaded",
    "to_file",
]
