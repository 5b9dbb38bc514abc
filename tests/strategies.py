"""What Hypothesis throws at the front end: specs gone wrong, as text and as trees. It draws the random numbers, so it
shrinks what fails.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.fuzzing import mutations

_RANDOM = st.randoms(use_true_random=False)

mutated_texts = st.builds(mutations.mutated_text, _RANDOM)
"""The text of a spec with stretches of it cut, repeated, replaced, moved, or grafted from another spec."""

mutated_trees = st.builds(mutations.mutated_tree, _RANDOM)
"""A spec as JSON, with nodes of it deleted, repeated, swapped, renamed or replaced."""
