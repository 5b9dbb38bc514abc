"""Text to tree: YAML in which every node knows its position."""
