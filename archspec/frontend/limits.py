"""How large a network may grow. Every limit is checked before the work is done, and far above what people build."""

MAX_LAYERS = 250_000
"""Layers of a graph, and rounds of repetition."""

MAX_DEPTH = 120
"""Blocks and structures inside one another: the depth of a recursion."""

MAX_ELEMENTS = 2**36
"""Elements of one tensor, weights included."""

MAX_PARAMETERS = 10**12
"""Elements of all weights together."""
