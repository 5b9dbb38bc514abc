"""Executes source text so that tracebacks and `inspect` show its lines."""

from __future__ import annotations

import linecache
import re
import sys
from hashlib import sha256
from types import ModuleType
from typing import Any

_DEFINITION = re.compile(r"^(?:class|def) (\w+)\(", re.MULTILINE)


def execute(source: str) -> Any:
    """Run generated source and return the class or function of the network, which is the last that the text defines.

    The Python module that the text defines is importable under its own name by pickles of this process.
    """
    name = _DEFINITION.findall(source)[-1]
    digest = sha256(source.encode()).hexdigest()[:12]
    module_name = f"archspec_{name}_{digest}"
    if module_name not in sys.modules:
        filename = f"<archspec {name} {digest}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        module = ModuleType(module_name)
        module.__file__ = filename
        exec(compile(source, filename, "exec", dont_inherit=True), module.__dict__)  # noqa: S102  # generated text: names and literals are checked
        sys.modules[module_name] = module
    return getattr(sys.modules[module_name], name)
