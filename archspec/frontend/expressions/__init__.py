"""Text to value: the expressions of a spec, parsed and evaluated."""
