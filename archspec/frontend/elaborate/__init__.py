"""Typed spec to graph: blocks expanded, names resolved, types inferred."""
