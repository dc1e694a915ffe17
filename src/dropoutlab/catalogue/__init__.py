"""What is claimed about dropout, and what settles each claim: three tables in TOML, read and checked here."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

TABLES = ("articles", "contradictions", "replications")

_TEXTS = ("statement", "made_in", "scope", "depends", "source", "published", "differences")
_BASES = ("proof", "parts", "cited")


@dataclass(frozen=True)
class Part:
    """One criterion of a study that speaks about a claim.

    Attributes:
        study: name of the registered study.
        criterion: id of its criterion.
        opposite: the claim holds if the criterion is *contradicted*.
        about: what distinguishes this part from the others, e.g. ``"N = 100"``.
    """

    study: str
    criterion: str
    opposite: bool = False
    about: str = ""


@dataclass(frozen=True)
class Entry:
    """One claim of the catalogue.

    Attributes:
        id: ``A-1`` to ``C-21`` for claims of articles, ``X1`` to ``X10`` for contradictions between them,
            ``R1`` to ``R33`` for published results.
        statement: the claim in our own words.
        made_in: where it is commonly made; empty for a published result.
        scope: what it was tested on.
        proof: name of the function of `dropoutlab.proofs` that settles it, if one does.
        parts: the criteria that speak about it, if it is measured.
        cited: why nothing was measured, if nothing was.
        depends: on what it depends, shown where parts disagree.
        source: key of the publication in the bibliography.
        published: the published numbers.
        differences: what our protocol changes.
    """

    id: str
    statement: str
    scope: str
    made_in: str = ""
    proof: str = ""
    parts: tuple[Part, ...] = ()
    cited: str = ""
    depends: str = ""
    source: str = ""
    published: str = ""
    differences: str = ""


@cache
def entries() -> Mapping[str, Entry]:
    """Read the catalogue.

    Returns:
        Id → entry: articles first, then contradictions, then published results.

    Raises:
        ValueError: an entry is malformed or has no basis.

    Example:
        >>> entries()["A-4"].proof
        'eval_applies_the_scaling'
    """
    found: dict[str, Entry] = {}
    for table in TABLES:
        text = (files("dropoutlab.catalogue") / f"{table}.toml").read_text(encoding="utf-8")
        for name, fields in tomllib.loads(text).items():
            found[name] = parse(name, fields)
    return found


def parse(name: str, fields: Mapping[str, Any]) -> Entry:
    """Build one entry from its table and check it.

    Args:
        name: id of the claim.
        fields: its keys as TOML gives them.

    Returns:
        The entry.

    Raises:
        ValueError: a key is unknown, a text is empty, or not exactly one basis is given; a claim may have
            both a proof and parts, where one half is exact and the other measured.
    """
    unknown = set(fields) - {*_TEXTS, *_BASES}
    if unknown:
        raise ValueError(f"claim {name}: unknown keys {sorted(unknown)}; known are {[*_TEXTS, *_BASES]}")
    for key in ("statement", "scope"):
        if not str(fields.get(key, "")).strip():
            raise ValueError(f"claim {name}: {key} must not be empty")
    bases = [key for key in _BASES if fields.get(key)]
    if not bases or (len(bases) > 1 and set(bases) != {"proof", "parts"}):
        raise ValueError(f"claim {name}: needs a proof, parts, or a reason why it is only cited; got {bases}")
    parts = tuple(Part(**part) for part in fields.get("parts", ()))
    return Entry(id=name, **{**fields, "parts": parts})
