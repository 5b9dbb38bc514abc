"""How large a spec and its network may grow.

Every limit is checked before the work is done, and far above what people build.
"""

MAX_BYTES = 8 * 2**20
"""Bytes of a file; characters of a spec and all it imports."""

MAX_NODES = 1_000_000
"""Words, lists and mappings of a spec and all it imports."""

MAX_ALIASED = 50_000
"""Words, lists and mappings that aliases stand for, in a spec and all it imports."""

MAX_IMPORTS = 64
"""Files a spec imports, those counted that they import."""

MAX_IMPORT_DEPTH = 16
"""Files that import one another in a row."""

MAX_NESTING = 64
"""Lists and mappings of a file inside one another."""

MAX_LAYERS = 250_000
"""Layers of a graph, and rounds of repetition."""

MAX_STEPS = 4 * MAX_LAYERS
"""Steps of building a graph: items of `layers` looked at, those left out among them, rounds and structures entered."""

MAX_DEPTH = 120
"""Blocks and structures inside one another: the depth of a recursion."""

MAX_RECURSIONS = 5_000
"""Calls of blocks from inside themselves."""

MAX_FAILURES = 5_000
"""Steps of building a graph that go wrong, before the build is given up."""

MAX_AXES = 16
"""Axes of one tensor."""

MAX_ELEMENTS = 2**36
"""Elements of one tensor, weights included."""

MAX_PARAMETERS = 10**12
"""Elements of all weights together."""
