"""Limits on the size of a spec and of its network.

Each limit is checked before the work it bounds, and is far above the size of real networks.
"""

MAX_BYTES = 8 * 2**20
"""Bytes of a file; characters of a spec and its imports."""

MAX_NODES = 1_000_000
"""Scalars, lists and mappings of a spec and its imports."""

MAX_ALIASED = 50_000
"""Scalars, lists and mappings that aliases expand to, in a spec and its imports."""

MAX_IMPORTS = 64
"""Files a spec imports, directly or indirectly."""

MAX_IMPORT_DEPTH = 16
"""Nesting of imports."""

MAX_NESTING = 64
"""Nesting of lists and mappings in a file."""

MAX_LAYERS = 250_000
"""Layers of a graph, iterations of a repeat, and layers of all variants that are checked together."""

MAX_STEPS = 4 * MAX_LAYERS
"""Steps of building graphs: items of `layers`, including skipped ones, iterations, structures and params."""

MAX_DEPTH = 120
"""Nesting of blocks and structures: the depth of a recursion."""

MAX_RECURSIONS = 5_000
"""Recursive calls of blocks."""

MAX_RECURSION_ITEMS = 50_000
"""Items of the layers of blocks, in recursive calls."""

MAX_FAILURES = 1_000
"""Failed steps of building a graph before the build stops."""

MAX_ERRORS = 1_000
"""Errors in a file before the rest of it is left unread."""

MAX_DIAGNOSTICS = 500
"""Diagnostics that are reported; the others are counted."""

MAX_AXES = 16
"""Axes of one tensor."""

MAX_ELEMENTS = 2**36
"""Elements of one tensor, weights included."""

MAX_PARAMETERS = 10**12
"""Elements of all weights in total."""
