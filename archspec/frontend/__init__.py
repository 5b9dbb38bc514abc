"""From text to graph: YAML with positions, the expressions in it, the language, and the builder."""
