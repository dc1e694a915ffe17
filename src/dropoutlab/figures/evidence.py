"""The verdicts on all claims in one picture: the measured effect of each, and where its interval lies."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dropoutlab.claims import Claim, Finding, Verdict
from dropoutlab.figures.style import BLUE, FAINT, INK, ORANGE, PINK, Picture, house_style, panels

_COLOURS: dict[Verdict, tuple[str, str]] = {
    "supported": (BLUE, "o"),
    "contradicted": (ORANGE, "X"),
    "inconclusive": (INK, "D"),
    "depends": (PINK, "s"),
}
_ROW = 0.4  # inches for one claim
_LETTERS = 58  # of a claim on one line


@dataclass(frozen=True)
class Effect:
    """One line of the picture.

    Attributes:
        label: id and text of the claim.
        effect: estimate in percentage points.
        low: lower end of its 95 % interval.
        high: upper end of it.
        verdict: verdict on the claim as a whole.
    """

    label: str
    effect: float
    low: float
    high: float
    verdict: Verdict


def error_effects(claims: Iterable[Claim]) -> list[Effect]:
    """Choose the claims whose leading criterion compares test errors, and write it in percentage points.

    Args:
        claims: judged claims.

    Returns:
        One effect for each of them, from the largest fall of the error to the largest rise.
    """
    found = []
    for claim in claims:
        lead = claim.leading
        if lead is not None and _compares_errors(lead):
            outcome = lead.outcome
            about = f" ({lead.part.about})" if lead.part.about else ""
            label = f"{claim.entry.id} {claim.entry.statement.rstrip('.')}{about}"
            effect, low, high = (100 * each for each in (outcome.effect, outcome.low, outcome.high))
            found.append(Effect(label, effect, low, high, claim.verdict))
    return sorted(found, key=lambda each: each.effect)


def _compares_errors(finding: Finding) -> bool:
    return finding.outcome.unit == "fraction" and "error" in finding.rule and "−" in finding.rule


@house_style
def measured_effects(effects: Sequence[Effect]) -> Picture:
    """Draw one interval per claim, with its text at the left and its verdict as colour and marker.

    Args:
        effects: from `error_effects`.

    Returns:
        The picture. Left of zero the arm that is named first has the lower error.

    Raises:
        ValueError: there is nothing to draw.
    """
    if not effects:
        raise ValueError("need at least one effect to draw, got none")
    figure, (axes,) = panels(height=len(effects) * _ROW + 0.9)
    for place, each in enumerate(effects):
        colour, marker = _COLOURS[each.verdict]
        axes.plot([each.low, each.high], [place, place], color=colour, linewidth=2)
        axes.plot([each.effect], [place], marker, color=colour, markersize=6.5, markeredgewidth=0)
    axes.axvline(0, color=INK, linewidth=0.9)
    labels = ["\n".join(textwrap.wrap(each.label, _LETTERS)[:2]) for each in effects]
    axes.set_yticks(range(len(effects)), labels, fontsize=7.5)
    axes.set_ylim(len(effects) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("Difference of test errors (percentage points)")
    present = dict.fromkeys(each.verdict for each in effects)
    handles = [
        axes.plot([], [], _COLOURS[verdict][1], color=_COLOURS[verdict][0], label=verdict)[0]
        for verdict in present
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), labelcolor=INK)
    return Picture(figure)
