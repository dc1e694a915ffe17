import math

import pytest

from dropoutlab.catalogue import Entry, Part
from dropoutlab.claims import Claim, Finding
from dropoutlab.figures import evidence
from dropoutlab.figures.evidence import Effect, error_effects, measured_effects
from dropoutlab.studies.decide import Outcome

RULE = "whole 95 % t-interval of error(a) − error(b), paired by seed, below 0"


def claim(name, effect, *, verdict="supported", unit="fraction", rule=RULE, about=""):
    outcome = Outcome(verdict, effect, effect - 0.01, effect + 0.01, 10, unit, 0.01)
    finding = Finding(Part("study", "helps", about=about), "It helps", rule, outcome, verdict, math.nan)
    entry = Entry(name, "It helps.", "coins", parts=(finding.part,))
    return Claim(entry, verdict, None, None, (finding,))


def test_effects_are_in_points_and_ordered_from_the_largest_fall():
    found = error_effects([claim("A-1", 0.02), claim("A-2", -0.03, about="p = 0.5")])
    assert [each.label for each in found] == ["A-2 It helps (p = 0.5)", "A-1 It helps"]
    assert (found[0].effect, found[0].low, found[0].high) == pytest.approx((-3, -4, -2))


def test_claims_about_something_else_are_left_out():
    others = [
        claim("A-1", 0.1, unit="nats"),
        claim("A-2", 0.1, rule="whole 95 % t-interval of probe(a) − probe(b), paired by seed, above 0"),
        claim("A-3", 0.1, rule="whole 95 % t-interval of error(a), below 0.05"),
        Claim(Entry("A-4", "Coins land.", "coins", cited="why"), "cited only", None, None, ()),
    ]
    assert error_effects(others) == []


def test_each_effect_has_a_row_with_its_interval_and_its_verdict(monkeypatch):
    kept = []
    real = evidence.panels

    def keeping(*args, **kwargs):
        figure, axes = real(*args, **kwargs)
        kept.append((figure, axes[0]))
        return figure, axes

    monkeypatch.setattr(evidence, "panels", keeping)
    picture = measured_effects(
        [Effect("A-1 It helps", -1, -2, 0.5, "inconclusive"), Effect("A-2", 1, 0.5, 2, "depends")]
    )
    [(figure, axes)] = kept
    assert picture.width == 653
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["A-1 It helps", "A-2"]
    assert list(axes.lines[0].get_xdata()) == [-2, 0.5]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["inconclusive", "depends"]


def test_nothing_to_draw_is_an_error():
    with pytest.raises(ValueError, match="need at least one effect to draw, got none"):
        measured_effects([])
