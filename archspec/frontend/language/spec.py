"""The typed form of a spec, which `document` reads and `elaborate` turns into a graph."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from archspec.diagnostics import Source, Span
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.language.fields import Field, TemplateField
from archspec.frontend.yaml.tree import YamlScalar
from archspec.frozen import field, frozen
from archspec.ir.types import DType
from archspec.ops import Op

if TYPE_CHECKING:
    from archspec.frontend.language.op_registry import OpRegistry
    from archspec.ir.graph import ScopeKind


@frozen(eq=False)
class Step:
    """An item of `layers`: its inputs are the outputs of the item before it, or the values `sources` names.

    `trainable` is whether the weights of the item are trained, with those of all layers inside it.
    Steps are compared by identity, so that they can be the keys of caches. `keyword` starts a structure in a spec.
    """

    keyword: ClassVar[ScopeKind]

    span: Span
    name: TemplateField | None
    sources: tuple[TemplateField, ...] | None
    when: Field | None
    trainable: Field | None

    def bodies(self) -> tuple[Body, ...]:
        """The lists of layers it contains."""
        return ()


Body = tuple[Step, ...]


@frozen
class Argument:
    """A value under a key that the user chose, and the position of the key."""

    key: Span
    value: Field


@frozen
class InitializerSpec:
    """The initializer of a weight: the name of a distribution, and its options.

    `span` is the position of the weight's name, or else of the distribution.
    """

    span: Span
    kind: str
    options: Mapping[str, Field]


@frozen
class WeightOptions:
    """The weights of a layer: where they are shared from, their initializers, and fixed values."""

    share: TemplateField | None = None
    initializers: Mapping[str, InitializerSpec] = field(default_factory=dict)
    fixed: Field | None = None


DEFAULT_OPTIONS = WeightOptions()
"""The options of a layer that sets none."""


@frozen(eq=False)
class OpStep(Step):
    """One op. `reads` are the names its attributes use: where their values are equal, so is the op."""

    op: type[Op]
    attributes: Mapping[str, Field]
    weight_options: WeightOptions
    reads: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        names = frozenset().union(*(value.names for value in self.attributes.values()))
        object.__setattr__(self, "reads", tuple(sorted(names)))


@frozen(eq=False)
class BrokenStep(Step):
    """An item that could not be read. Its outputs are unknown, so nothing is reported about the layers that use them.

    `kind` is the op or block it names, unless it may contain layers.
    """

    kind: str | None = None


@frozen(eq=False)
class CallStep(Step):
    """A block, or an op whose name is computed.

    `input_names` are the inputs that `sources` are for, if `from` gives them by name. `until` is the last layer that is
    built.
    """

    callee: TemplateField
    arguments: Mapping[str, Argument]
    share: TemplateField | None
    input_names: tuple[YamlScalar, ...] = ()
    until: TemplateField | None = None


@frozen(eq=False)
class SequentialStep(Step):
    """Layers in order, under a name of their own."""

    keyword: ClassVar[ScopeKind] = "sequential"

    layers: Body
    indexed: bool

    def bodies(self) -> tuple[Body, ...]:
        return (self.layers,)


@frozen(eq=False)
class JoinStep(Step):
    """Parallel paths, and the op that joins their outputs."""

    join: OpStep
    crop: bool


@frozen(eq=False)
class ResidualStep(JoinStep):
    """Layers with a shortcut; an empty shortcut is the identity."""

    keyword: ClassVar[ScopeKind] = "residual"

    layers: Body
    shortcut: Body

    def bodies(self) -> tuple[Body, ...]:
        return self.layers, self.shortcut


@frozen(eq=False)
class ParallelStep(JoinStep):
    """Paths with the same inputs: those in the spec, or one per iteration."""

    keyword: ClassVar[ScopeKind] = "parallel"

    paths: tuple[tuple[TemplateField | None, Body], ...]
    iterations: Iterations | None

    def bodies(self) -> tuple[Body, ...]:
        return (self.iterations.layers,) if self.iterations else tuple(path for _, path in self.paths)


@frozen
class Iterations:
    """The iterations of a repeat or of parallel paths: their number or entries, and the names they bind."""

    span: Span
    times: Field | None
    over: Field | None
    targets: tuple[str, ...]
    index: str | None
    layers: Body


@frozen(eq=False)
class RepeatStep(Step):
    """The same layers several times in sequence."""

    keyword: ClassVar[ScopeKind] = "repeat"

    iterations: Iterations

    def bodies(self) -> tuple[Body, ...]:
        return (self.iterations.layers,)


@frozen(eq=False)
class SideStep(Step):
    """A side branch: the next item reads the inputs of the branch, not its outputs."""

    keyword: ClassVar[ScopeKind] = "side"

    layers: Body
    training_only: bool

    def bodies(self) -> tuple[Body, ...]:
        return (self.layers,)


@frozen
class Returned:
    """An output of the network or of a block: its name, and the value it refers to, which may have the same name."""

    name: TemplateField
    source: TemplateField

    @property
    def span(self) -> Span:
        """The position of its name."""
        return self.name.span


@frozen
class Block:
    """A block defined by the user.

    Attributes:
        name: its name.
        span: where it is defined.
        arguments: its arguments, with defaults; None for a required one.
        layers: its layers.
        indexed: whether layers without a name are named by number.
        inputs: its inputs and their positions, if it names them.
        outputs: the values it returns; those of its last layer if it names none.
    """

    name: str
    span: Span
    arguments: Mapping[str, Field | None]
    layers: Body
    indexed: bool
    inputs: Mapping[str, Span] = field(default_factory=dict)
    outputs: tuple[Returned, ...] = ()


@frozen(eq=False)
class Library:
    """A file as its blocks see it: the values of its params, its blocks, and those it imports.

    A block that could not be read is None. `imports` maps the name of each imported block to its library; `imported`
    has the entries of `import`, each with its library. `complete` is false if there may be blocks whose names are
    unknown because of an error. The blocks of an imported `network` are its variants; what its layers see depends on
    the params of the call (see `Spec.library`).
    """

    source: Source
    params: Environment
    blocks: Mapping[str, Block | None]
    imports: Mapping[str, Library]
    complete: bool = True
    imported: tuple[tuple[YamlScalar, Library], ...] = ()
    network: Spec | None = None

    def find(self, name: str) -> tuple[Block | None, Library] | None:
        """The block of a name, and the library whose params and blocks it sees; None if there is no such block."""
        home = self if name in self.blocks else self.imports.get(name)
        return (home.blocks[name], home) if home is not None else None

    @property
    def names(self) -> tuple[str, ...]:
        """The blocks that can be called here."""
        return (*self.blocks, *self.imports)


@frozen
class Imported:
    """The libraries a file imports, by the names of their blocks; not `complete` if some could not be read.

    `entries` are the entries of `import`, each with its library.
    """

    libraries: Mapping[str, Library]
    complete: bool = True
    entries: tuple[tuple[YamlScalar, Library], ...] = ()


@frozen
class Input:
    """A tensor the network takes, without its batch axis."""

    name: str
    shape: Field
    dtype: DType


@frozen
class Variant:
    """A variant: values for some params."""

    name: str
    span: Span
    params: Mapping[str, Field]
    summary: str | None
    reference: str | None


@frozen
class Rename:
    """A rule that renames weights of old checkpoints, as the parts of dotted names.

    A `*` in `old` matches any one part; beside other characters, any characters of a part, as few as possible. The
    stars of `new` take these matches in order. A rule matches every name that begins with the parts of `old`, and
    replaces only these. An empty `new` removes them, where more parts follow; None leaves the weight out.
    """

    span: Span
    old: tuple[str, ...]
    new: tuple[str, ...] | None

    def matches(self, name: str) -> bool:
        """Whether the rule matches a name."""
        found = _pattern(self.old).match(name)
        return found is not None and (self.new != () or found.end() < len(name))

    def covers(self, old: tuple[str, ...]) -> bool:
        """Whether the rule matches every name that a rule with these parts matches."""
        return _pattern(self.old).match(".".join(old)) is not None

    def under(self, path: str) -> Rename:
        """The same rule for the weights of a part."""
        parts = tuple(path.split("."))
        return Rename(self.span, (*parts, *self.old), None if self.new is None else (*parts, *self.new))

    def apply(self, name: str) -> str | None:
        """The new name of a name that the rule matches; None if the weight is left out."""
        if self.new is None:
            return None
        found = _pattern(self.old).match(name)
        assert found is not None
        stars = iter(found.groups())
        new = re.sub(r"\*", lambda _: next(stars), ".".join(self.new))
        return f"{new}{name[found.end() :]}".removeprefix(".")


@lru_cache(maxsize=4096)
def _pattern(old: tuple[str, ...]) -> re.Pattern[str]:
    """What matches the beginning of a dotted name, with a group for each star."""
    parts = ("([^.]+)" if part == "*" else "([^.]*?)".join(map(re.escape, part.split("*"))) for part in old)
    return re.compile(r"\.".join(parts) + r"(?=\.|\Z)")


@frozen
class Expected:
    """The expected results: facts of the network and of some layers."""

    span: Span
    facts: Mapping[str, Field]
    layers: Mapping[str, tuple[Span, Mapping[str, Field | Mapping[str, Argument]]]]
    outputs: Mapping[str, Argument]
    source: str | None


@frozen
class Spec:
    """A typed spec, before it is built with values of its params."""

    source: Source
    name: str
    summary: str
    reference: str
    params: Mapping[str, Field]
    variants: Mapping[str, Variant]
    default: str | None
    inputs: tuple[Input, ...]
    blocks: Mapping[str, Block | None]
    imports: Mapping[str, Library]
    imports_complete: bool
    imported: tuple[tuple[YamlScalar, Library], ...]
    vocabulary: OpRegistry
    layers: Body
    outputs: tuple[Returned, ...]
    expect: Expected | None
    expect_variants: Mapping[str, Expected]
    initializers: Mapping[str, Mapping[str, InitializerSpec]]
    allowed: frozenset[str]
    rename: tuple[Rename, ...] = ()

    def library(self, params: Environment) -> Library:
        """The blocks of the spec, with these values of its params."""
        return Library(self.source, params, self.blocks, self.imports, self.imports_complete)
