"""Fuzzing: mutated specs and mutated checkpoints, what must hold for each, and the limits they must keep.

`tests/test_fuzzing.py` tries some, `tools/fuzz.py` as many as one likes, in processes of their own.
"""
