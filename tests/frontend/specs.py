"""Short ways to write specs in tests, and to read what becomes of them."""

from __future__ import annotations

from textwrap import dedent, indent

from archspec.diagnostics import Diagnostic, Source
from archspec.loading import Compiled, compile_source
from archspec.network import Network


def spec(layers: str, head: str = "", tail: str = "", input: str = "[4, 8, 8]") -> str:
    """A spec with these layers, written from the margin on, and other keys before and after them."""
    parts = ["archspec: 1", "name: net", *([f"input: {input}"] if input else []), dedent(head).strip("\n"), "layers:"]
    return "\n".join([*filter(None, parts), indent(dedent(layers).strip("\n"), "  "), dedent(tail)])


def compiled(layers: str, head: str = "", tail: str = "", input: str = "[4, 8, 8]", **params: object) -> Compiled:
    return compile_source(Source("net.yaml", spec(layers, head, tail, input)), params=params)


def net(layers: str, head: str = "", tail: str = "", input: str = "[4, 8, 8]", **params: object) -> Network:
    """The network of a spec without mistakes."""
    found = compiled(layers, head, tail, input, **params)
    assert found.errors == (), "\n".join(each.render() for each in found.errors)
    assert found.network is not None
    return found.network


def lines(network: Network) -> list[str]:
    """The nodes of a network as the canonical text has them, without regions and shapes."""
    return [line.strip().rpartition(" -> ")[0] for line in network.text.splitlines()[1:-1] if " = " in line]


def built(layers: str, head: str = "", tail: str = "", input: str = "[4, 8, 8]", **params: object) -> list[str]:
    return lines(net(layers, head, tail, input, **params))


def faults(layers: str, head: str = "", tail: str = "", input: str = "[4, 8, 8]") -> list[tuple[str, str]]:
    """The code and the message of each mistake."""
    return [(each.code, each.message) for each in mistakes(layers, head, tail, input)]


def mistakes(layers: str, head: str = "", tail: str = "", input: str = "[4, 8, 8]") -> tuple[Diagnostic, ...]:
    return compiled(layers, head, tail, input).errors
