"""Weights outside any framework: arrays by their names in the state dict, first values, files, and whether they fit."""

from archspec.lower.weights.distributions import initial
from archspec.lower.weights.outside import Weights, fitted, from_file, from_module, given, to_file

__all__ = ["Weights", "fitted", "from_file", "from_module", "given", "initial", "to_file"]
