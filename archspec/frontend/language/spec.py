"""The typed form of a spec: what `language` reads and `build` turns into a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from archspec.diagnostics import Source, Span
from archspec.frontend.expressions.ast import Environment
from archspec.frontend.language.fields import Field, Template
from archspec.frontend.language.op_registry import OpRegistry
from archspec.ir.types import DType
from archspec.ops import Op


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """An item of `layers`: it takes the values before it, or those `sources` names, and makes the next.

    Steps are compared by identity, so that they can be the keys of caches.
    """

    span: Span
    name: Template | None
    sources: tuple[Template, ...] | None
    when: Field | None

    def bodies(self) -> tuple[Body, ...]:
        """The lists of layers it contains."""
        return ()


Body = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """A value under a key a user chose, and where the key stands."""

    place: Span
    value: Field


@dataclass(frozen=True, slots=True)
class Start:
    """How a weight starts: the name of a distribution and its options, numbers or words.

    `span` is where the weight is named, or else the distribution.
    """

    span: Span
    kind: str
    options: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class WeightOptions:
    """What a layer says about its weights: whose they are, how they start, what they are, whether they learn."""

    share: Template | None = None
    starts: Mapping[str, Start] = field(default_factory=dict)
    fixed: Field | None = None
    trainable: Field | None = None


DEFAULT_OPTIONS = WeightOptions()
"""What most layers say about their weights: nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class OpStep(Step):
    """One op. `reads` are the names its attributes read: it is the same op wherever they stand for the same."""

    op: type[Op]
    attributes: Mapping[str, Field]
    weight_options: WeightOptions
    reads: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        names = frozenset().union(*(written.names for written in self.attributes.values()))
        object.__setattr__(self, "reads", tuple(sorted(names)))


@dataclass(frozen=True, slots=True, eq=False)
class BrokenStep(Step):
    """An item that could not be read: nobody knows what it makes, so nothing is said about what reads it.

    `kind` is what it calls itself, unless it may hold layers.
    """

    kind: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CallStep(Step):
    """A block, or an op whose name is computed."""

    callee: Template
    arguments: Mapping[str, Given]
    share: Template | None


@dataclass(frozen=True, slots=True, eq=False)
class SequentialStep(Step):
    """Layers after one another, under a name of their own."""

    layers: Body
    indexed: bool

    def bodies(self) -> tuple[Body, ...]:
        return (self.layers,)


@dataclass(frozen=True, slots=True, eq=False)
class JoinStep(Step):
    """Paths beside one another, and the op that makes one value of theirs."""

    join: OpStep
    crop: bool


@dataclass(frozen=True, slots=True, eq=False)
class ResidualStep(JoinStep):
    """Layers with a shortcut beside them; an empty shortcut hands its input on."""

    layers: Body
    shortcut: Body

    def bodies(self) -> tuple[Body, ...]:
        return self.layers, self.shortcut


@dataclass(frozen=True, slots=True, eq=False)
class ParallelStep(JoinStep):
    """Paths that all start from the same value: written out, or one for each entry of a list."""

    paths: tuple[tuple[Template | None, Body], ...]
    iterations: Iterations | None

    def bodies(self) -> tuple[Body, ...]:
        return (self.iterations.layers,) if self.iterations else tuple(path for _, path in self.paths)


@dataclass(frozen=True, slots=True)
class Iterations:
    """What changes from one round of a repetition to the next."""

    span: Span
    times: Field | None
    over: Field | None
    targets: tuple[str, ...]
    index: str | None
    layers: Body


@dataclass(frozen=True, slots=True, eq=False)
class RepeatStep(Step):
    """The same layers several times, one round after another."""

    iterations: Iterations

    def bodies(self) -> tuple[Body, ...]:
        return (self.iterations.layers,)


@dataclass(frozen=True, slots=True, eq=False)
class SideStep(Step):
    """A path beside the main one, which goes on from where this one branched off."""

    layers: Body
    training_only: bool

    def bodies(self) -> tuple[Body, ...]:
        return (self.layers,)


@dataclass(frozen=True, slots=True)
class Block:
    """A user's own composite: arguments (None where one must be given) and layers."""

    name: str
    span: Span
    arguments: Mapping[str, Field | None]
    layers: Body
    indexed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """A file of blocks as its blocks see it: what its params are worth, its blocks, and those it imports.

    Of a block that could not be read only the name is known. `imports` has the library of each block that is imported
    by the block's name. It is `whole` unless there may be blocks whose names nobody knows.
    """

    source: Source
    params: Environment
    blocks: Mapping[str, Block | None]
    imports: Mapping[str, Library]
    whole: bool = True

    def find(self, name: str) -> tuple[Block | None, Library] | None:
        """The block of a name and the library whose params and blocks it sees; None where there is none."""
        home = self if name in self.blocks else self.imports.get(name)
        return (home.blocks[name], home) if home is not None else None

    @property
    def names(self) -> tuple[str, ...]:
        """The blocks that can be called here."""
        return (*self.blocks, *self.imports)


@dataclass(frozen=True, slots=True)
class Input:
    """A tensor the network takes, without its batch axis."""

    name: str
    shape: Field
    dtype: DType


@dataclass(frozen=True, slots=True)
class Returned:
    """A value the network returns, and the name it goes by, which stands at `span`."""

    name: str
    span: Span
    source: Template


@dataclass(frozen=True, slots=True)
class Variant:
    """Other values for some params."""

    name: str
    span: Span
    params: Mapping[str, Field]
    summary: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class Rename:
    """What old checkpoints call some weights, and what the spec calls them: dotted names, taken apart.

    A `*` stands for any one of the names between dots, and the stars of `new` for what those of `old` stood for, in
    order. A rule takes every name that begins with its names; what follows them is kept.
    """

    span: Span
    old: tuple[str, ...]
    new: tuple[str, ...]

    def matches(self, name: str) -> bool:
        """Whether the rule takes a name."""
        return self.covers(tuple(name.split(".")))

    def covers(self, parts: Sequence[str]) -> bool:
        """Whether the rule takes every name that begins so."""
        return len(parts) >= len(self.old) and all(
            own in ("*", part) for own, part in zip(self.old, parts, strict=False)
        )

    def apply(self, name: str) -> str:
        """The new name of one the rule takes."""
        parts = name.split(".")
        stars = (part for own, part in zip(self.old, parts, strict=False) if own == "*")
        return ".".join([*(next(stars) if part == "*" else part for part in self.new), *parts[len(self.old) :]])


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come out: facts of the network and of some layers."""

    span: Span
    facts: Mapping[str, Field]
    layers: Mapping[str, tuple[Span, Mapping[str, Field]]]
    outputs: Mapping[str, Given]
    source: str | None


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole spec, typed but not yet built. The values of its params are not yet chosen."""

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
    imports_whole: bool
    vocabulary: OpRegistry
    layers: Body
    outputs: tuple[Returned, ...]
    expect: Expected | None
    expect_variants: Mapping[str, Expected]
    starts: Mapping[str, Mapping[str, Start]]
    allowed: frozenset[str]
    rename: tuple[Rename, ...] = ()

    def library(self, params: Environment) -> Library:
        """The blocks of the spec, where its params are worth so much."""
        return Library(self.source, params, self.blocks, self.imports, self.imports_whole)
