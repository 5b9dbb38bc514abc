"""Modules and functions that generated source defines, as PyTorch has none like them.

The modules of this package are real Python for linter, types and tests. The compiler
copies their classes into generated source as text and never imports them.

A class whose name ends in `2d` is written for two spatial axes and copied for one, two
or three: see `helper_classes.helper`.
"""
