"""Names, references and variables of a spec, and the syntax of each."""

from __future__ import annotations

import re
from collections.abc import Iterable

from archspec.diagnostics import ArchspecError, Span, fail
from archspec.frontend.expressions.parser import RESERVED
from archspec.frontend.language import fields
from archspec.frontend.language.fields import TemplateField
from archspec.frontend.language.reader import Reader, Schema
from archspec.frontend.yaml.tree import Tree, YamlList, YamlMapping, YamlScalar

PREVIOUS = "prev"
"""The name of the previous value in `from`."""

ENTRY = "in"
"""The name of the input of a block in `from`: the first one, if it names several."""

NAME = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}"
REFERENCE = r"[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_][A-Za-z0-9_-]*)*"
VARIABLE = r"[A-Za-z_][A-Za-z0-9_]{0,99}"
TITLE = r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}"

_NAME, _REFERENCE, _VARIABLE, _TITLE = map(re.compile, (NAME, REFERENCE, VARIABLE, TITLE))
_BACKWARDS = re.compile(r"-[0-9]+")

_OF_LAYERS = "use up to 100 ASCII letters, digits, underscores and hyphens"
_OF_VARIABLES = "use ASCII letters, digits and underscores, and start with a letter or an underscore"
_OF_TITLES = "use ASCII letters, digits and _ . + -; describe the network in 'summary'"


def name(reader: Reader, tree: Tree) -> TemplateField:
    """The name of a layer, possibly computed."""
    scalar = reader.scalar("a name", tree)
    if "$" not in scalar.text:
        check_name(scalar.text, scalar.span)
    return fields.template(scalar)


def check_name(text: str, span: Span) -> None:
    """Check that a layer can have a name.

    Raises:
        ArchspecError: the name is not valid.
    """
    if not _NAME.fullmatch(text):
        raise _bad(text, "a name", span, _OF_LAYERS)
    if text == PREVIOUS:
        raise fail(
            "name-taken",
            f"'{PREVIOUS}' is reserved: it means the previous value in `from`",
            span,
            help="choose another name",
        )


def reference(reader: Reader, tree: Tree) -> TemplateField:
    """The name of an earlier value, possibly dotted or computed."""
    scalar = reader.scalar("a reference", tree)
    if "$" not in scalar.text and not _REFERENCE.fullmatch(scalar.text):
        help = "a reference is the name of a layer, or a dotted path of names"
        if _BACKWARDS.fullmatch(scalar.text):
            help = "give that layer a name, and write the name here"
            if scalar.text == "-1":
                help = f"write {PREVIOUS} for the value of the layer before"
        raise _bad(scalar.text, "the name of a layer", scalar.span, help)
    return fields.template(scalar)


def references(reader: Reader, tree: Tree) -> tuple[TemplateField, ...]:
    """One reference or a list of them."""
    if isinstance(tree, YamlMapping):
        message = "only a block that names its inputs takes them by name"
        texts = [item.text if isinstance(item, YamlScalar) else "..." for _, item in tree.entries]
        raise fail("wrong-type", message, tree.span, help=f"write from: [{', '.join(texts or ['...'])}]")
    if not isinstance(tree, YamlList):
        return (reference(reader, tree),)
    if not tree.items:
        raise fail("wrong-value", "the list of inputs is empty", tree.span, help="name a layer, or remove the key")
    return tuple(reference(reader, item) for item in tree.items)


def references_of_call(reader: Reader, tree: Tree) -> tuple[tuple[YamlScalar | None, TemplateField], ...]:
    """References, each with the input it is for if the tree is a mapping from the names of inputs."""
    if not isinstance(tree, YamlMapping):
        return tuple((None, each) for each in references(reader, tree))
    if not tree.entries:
        raise fail("wrong-value", "the mapping of inputs is empty", tree.span, help="name an input, or remove the key")
    return tuple((key, reference(reader, item)) for key, item in tree.entries)


def until(reader: Reader, tree: Tree) -> TemplateField:
    """The last layer that a call builds."""
    return reference(reader, reader.scalar("the last layer", tree))


def variable(reader: Reader, tree: Tree, what: str = "a variable") -> str:
    """A name for use in expressions."""
    text = reader.scalar(what, tree).text
    if text in RESERVED:
        raise fail("name-taken", f"'{text}' is reserved in expressions", tree.span, help="choose another name")
    if not _VARIABLE.fullmatch(text):
        raise _bad(text, what, tree.span, _OF_VARIABLES)
    return text


def variable_but(taken: Iterable[str]) -> Schema:
    """The JSON Schema of a variable that has none of these names."""
    return {"allOf": [{"$ref": "#/$defs/variable"}, {"not": {"enum": [*taken]}}]}


def variables(reader: Reader, tree: Tree) -> tuple[str, ...]:
    """One variable, or a list of them that unpacks an entry."""
    if not isinstance(tree, YamlList):
        return (variable(reader, tree),)
    names: list[str] = []
    for item in tree.items:
        names.append(variable(reader, item))
        if names[-1] in names[:-1]:
            raise fail("duplicate-name", f"'{names[-1]}' is listed twice", item.span, help="choose another name")
    return tuple(names)


def title(reader: Reader, tree: Tree, what: str = "the name of a network") -> str:
    """The name of a network or a variant."""
    scalar = reader.scalar("a name", tree)
    if not _TITLE.fullmatch(scalar.text):
        raise _bad(scalar.text, what, scalar.span, _OF_TITLES)
    return scalar.text


def _bad(text: str, what: str, span: Span, help: str) -> ArchspecError:
    return fail("bad-name", f"'{text}' cannot be {what}", span, help=help)
