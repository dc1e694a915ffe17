"""Every claim with its verdict: criteria of stored studies, an exact proof, or why it is only cited."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dropoutlab.catalogue import Entry, Part, entries
from dropoutlab.proofs import Proof, prove
from dropoutlab.stats import holm
from dropoutlab.studies.decide import Outcome
from dropoutlab.studies.errors import IncompleteError
from dropoutlab.studies.places import results_root
from dropoutlab.studies.reading import judge, load_rows
from dropoutlab.studies.registry import find

Verdict = Literal[
    "supported", "contradicted", "depends", "inconclusive", "exact", "cited only", "not measured"
]

_OPPOSITE: Mapping[str, Verdict] = {
    "supported": "contradicted",
    "contradicted": "supported",
    "inconclusive": "inconclusive",
}


@dataclass(frozen=True)
class Finding:
    """What one criterion says about a claim.

    Attributes:
        part: the study and the criterion.
        statement: the criterion's own statement.
        rule: how the interval decides.
        outcome: effect, interval, n and raw p-value.
        verdict: the outcome's verdict, turned round where the criterion states the opposite of the claim.
        p_adjusted: Holm's adjustment over all criteria that any claim rests on; NaN without a p-value.
    """

    part: Part
    statement: str
    rule: str
    outcome: Outcome
    verdict: Verdict
    p_adjusted: float


@dataclass(frozen=True)
class Claim:
    """A claim of the catalogue and what became of it.

    Attributes:
        entry: the claim as catalogued.
        verdict: what the findings say together: *depends* where some support and some contradict it,
            *inconclusive* where one of them is and none contradicts; *exact* where a proof alone settles it
            (see ``holds``); *cited only*; *not measured* while a study it rests on is incomplete.
        holds: where there is a proof, whether what it settles is true as stated; else ``None``.
        proof: what was computed for it.
        findings: the measured parts.
    """

    entry: Entry
    verdict: Verdict
    holds: bool | None
    proof: Proof | None
    findings: tuple[Finding, ...]

    @property
    def leading(self) -> Finding | None:
        """The finding whose effect stands for the claim, which is the first that decided it.

        That is the first in the catalogue with the claim's own verdict, so that the number beside a verdict
        is one that led to it. A claim that depends has no such finding; there it is the first of all.
        """
        decisive = (finding for finding in self.findings if finding.verdict == self.verdict)
        return next(decisive, self.findings[0] if self.findings else None)


def claims(root: Path | None = None) -> list[Claim]:
    """Judge the whole catalogue by the stored runs.

    Args:
        root: folder of the results; ``None`` finds ``results/`` of the repository.

    Returns:
        All claims in catalogue order.

    Raises:
        StudyError: the rows of a study are another registration's, or damaged.
    """
    folder = results_root() if root is None else root
    parts = list(dict.fromkeys((p.study, p.criterion) for e in entries().values() for p in e.parts))
    outcomes: dict[tuple[str, str], tuple[str, str, Outcome]] = {}
    for name in dict.fromkeys(study for study, _ in parts):
        study = find(name)
        try:
            judged = judge(study, load_rows(study, folder))
        except IncompleteError:
            continue
        for criterion in study.criteria:
            outcomes[name, criterion.id] = (criterion.statement, criterion.rule, judged[criterion.id])
    family = [part for part in parts if part in outcomes and outcomes[part][2].p_value is not None]
    raw = [outcomes[part][2].p_value or 0.0 for part in family]
    adjusted = dict(zip(family, holm(raw), strict=True))
    return [_claim(entry, outcomes, adjusted) for entry in entries().values()]


def _claim(
    entry: Entry,
    outcomes: Mapping[tuple[str, str], tuple[str, str, Outcome]],
    adjusted: Mapping[tuple[str, str], float],
) -> Claim:
    complete = all((part.study, part.criterion) in outcomes for part in entry.parts)
    findings = []
    for part in entry.parts if complete else ():
        statement, rule, outcome = outcomes[part.study, part.criterion]
        verdict: Verdict = _OPPOSITE[outcome.verdict] if part.opposite else outcome.verdict
        p = adjusted.get((part.study, part.criterion), math.nan)
        findings.append(Finding(part, statement, rule, outcome, verdict, p))
    proof = prove(entry.proof) if entry.proof else None
    return Claim(
        entry=entry,
        verdict=_together(entry, [finding.verdict for finding in findings]),
        holds=proof.holds if proof else None,
        proof=proof,
        findings=tuple(findings),
    )


def _together(entry: Entry, verdicts: list[Verdict]) -> Verdict:
    """Join the verdicts of a claim's parts."""
    if entry.cited:
        return "cited only"
    if not verdicts:
        return "exact" if entry.proof and not entry.parts else "not measured"
    if {"supported", "contradicted"} <= set(verdicts):
        return "depends"
    for verdict in ("contradicted", "inconclusive"):
        if verdict in verdicts:
            return verdict
    return "supported"


def as_record(claim: Claim) -> dict[str, object]:
    """Return a claim as plain values for JSON.

    Returns:
        ``id, statement, made_in, scope, verdict, study, effect, ci_low, ci_high, n, unit`` of the leading
        finding or the proof (``None`` where there is no such number), and all ``findings``.
    """
    entry, lead = claim.entry, claim.leading
    record: dict[str, object] = {
        "id": entry.id,
        "statement": entry.statement,
        "made_in": entry.made_in,
        "scope": entry.scope,
        "verdict": claim.verdict,
        "holds": claim.holds,
        "depends_on": entry.depends if claim.verdict == "depends" else None,
        "study": lead.part.study if lead else None,
        "proof": entry.proof or None,
        "cited_because": entry.cited or None,
        "effect": lead.outcome.effect if lead else (claim.proof.value if claim.proof else None),
        "ci_low": lead.outcome.low if lead else None,
        "ci_high": lead.outcome.high if lead else None,
        "n": lead.outcome.n if lead else None,
        "unit": lead.outcome.unit if lead else (claim.proof.unit if claim.proof else None),
        "p_value": lead.outcome.p_value if lead else None,
        "p_adjusted": _finite(lead.p_adjusted) if lead else None,
        "source": entry.source or None,
        "published": entry.published or None,
        "findings": [
            {
                "study": finding.part.study,
                "criterion": finding.part.criterion,
                "about": finding.part.about,
                "statement": finding.statement,
                "rule": finding.rule,
                "verdict": finding.verdict,
                "effect": finding.outcome.effect,
                "ci_low": finding.outcome.low,
                "ci_high": finding.outcome.high,
                "n": finding.outcome.n,
                "unit": finding.outcome.unit,
                "p_value": finding.outcome.p_value,
                "p_adjusted": _finite(finding.p_adjusted),
            }
            for finding in claim.findings
        ],
    }
    return record


def _finite(value: float) -> float | None:
    """Return ``None`` for a number that JSON has no word for."""
    return value if math.isfinite(value) else None
