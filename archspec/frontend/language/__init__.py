"""Tree to typed spec: keys, fields, steps, imports and the JSON Schema."""
