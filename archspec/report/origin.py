"""The origin of a network, which is recorded in the files written from it."""

from __future__ import annotations

from pathlib import PurePath

from archspec.frontend.language.spec import Rename, Spec
from archspec.frozen import frozen


@frozen(enforced=True)
class Origin:
    """Metadata of a network from its spec; all fields are empty for a network without a spec.

    Attributes:
        spec: the name of the spec.
        file: the name of its file, without the folder.
        title: one line about the network: the variant's summary, or the spec's.
        reference: where it was published.
        rename: rules that rename the weights of other implementations.
    """

    spec: str = ""
    file: str = ""
    title: str = ""
    reference: str = ""
    rename: tuple[Rename, ...] = ()

    @classmethod
    def of(cls, spec: Spec | None, variant: str | None) -> Origin:
        """The origin of a network that was built from a spec, in one of its variants if it has any."""
        if spec is None:
            return cls()
        chosen = spec.variants[variant] if variant else None
        title = chosen.summary if chosen and chosen.summary else spec.summary
        reference = chosen.reference if chosen and chosen.reference else spec.reference
        return cls(spec.name, PurePath(spec.source.name).name, title, reference, tuple(spec.rename))
