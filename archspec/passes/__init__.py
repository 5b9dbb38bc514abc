"""Passes: analyses that compute facts about a graph from the facts of its ops.

To add one, write a module with a function that takes a `Graph` and returns plain data per node or per value, and a
property of `Facts` (`facts.py`) that calls it once. What users read of it goes into `report/summary.py`, a property of
`Network`, or an attribute of a `Layer` (`layer_table.py`). A warning is one rule in `lint.py`. Transforms, which make a
graph of a graph, are in `archspec/lower/optimize`.
"""
