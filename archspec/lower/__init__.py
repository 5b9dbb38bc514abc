"""Lowering a graph to each target. Every source target has a table of rules from op to code."""
