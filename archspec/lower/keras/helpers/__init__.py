"""Layers and initializers that generated source defines, as Keras has none like them.

The modules of this package are real Python for linter, types and tests. The compiler
copies their classes into generated source as text and never imports them.

Each class is registered, so that a saved model can be loaded where the generated source
is imported. A layer needs a `get_config` only for arguments that are not numbers: Keras
stores numbers itself.
"""
