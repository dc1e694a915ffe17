"""The table of proofs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dropoutlab.proofs import averages, counts, networks, rules
from dropoutlab.proofs.result import Proof

PROOFS: Mapping[str, Callable[[], Proof]] = MappingProxyType(
    {name: getattr(module, name) for module in (rules, counts, averages, networks) for name in module.__all__}
)


@dataclass(frozen=True)
class UnknownProofError(LookupError):
    """No proof has this name."""

    name: str

    def __str__(self) -> str:
        return f"unknown proof {self.name!r}; the names are {', '.join(sorted(PROOFS))}"


def prove(name: str) -> Proof:
    """Run one proof by name.

    Args:
        name: a key of `PROOFS`.

    Returns:
        Whether the statement holds, with the number that settles it.

    Raises:
        UnknownProofError: no proof has this name.

    Example:
        >>> prove("scale_is_one_over_q").holds
        True
    """
    if name not in PROOFS:
        raise UnknownProofError(name)
    return PROOFS[name]()
