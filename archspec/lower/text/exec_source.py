"""Executes source text so that tracebacks and `inspect` show its lines."""

from __future__ import annotations

import linecache
import sys
from hashlib import sha256
from types import ModuleType


def execute(source: str, name: str) -> ModuleType:
    """The Python module that the text defines, importable under its own name by pickles of this process."""
    digest = sha256(source.encode()).hexdigest()[:12]
    module_name = f"archspec_{name}_{digest}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    filename = f"<archspec {name} {digest}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    module = ModuleType(module_name)
    module.__file__ = filename
    exec(compile(source, filename, "exec", dont_inherit=True), module.__dict__)  # noqa: S102  # generated text: names and literals are checked
    sys.modules[module_name] = module
    return module
