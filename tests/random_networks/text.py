"""A spec as text that is short to read: one line per item."""

from __future__ import annotations

import json
import re
from typing import Any

_WORD = re.compile(r'"([a-z_][a-z0-9_]*)"')
_RESERVED = {"null", "true", "false"}


def text_of(spec: Any) -> str:
    """Plain data as YAML: the top level in lines, everything else in flow style."""
    if not isinstance(spec, dict):
        return flow(spec) + "\n"
    lines: list[str] = []
    for key, value in spec.items():
        if isinstance(value, list) and value and key in ("layers",):
            lines += [f"{flow(key)}:", *(f"  - {flow(item)}" for item in value)]
        elif isinstance(value, dict) and value and key in ("blocks", "inputs"):
            lines += [f"{flow(key)}:", *(f"  {flow(name)}: {flow(item)}" for name, item in value.items())]
        else:
            lines.append(f"{flow(key)}: {flow(value)}")
    return "\n".join(lines) + "\n"


def flow(value: Any) -> str:
    """Plain data on one line."""

    def bare(match: re.Match[str]) -> str:
        return match[0] if match[1] in _RESERVED else match[1]

    return _WORD.sub(bare, json.dumps(value))
