"""Settings in the address of the playground: written, read back, and set right where they are wrong."""

import json
import re
from pathlib import Path

import pytest

from coursebook.assets import PLAYGROUND
from tests.coursebook.scripts import in_node

ROOT = Path(__file__).parents[2]
KNOWN = json.loads(PLAYGROUND.read_text(encoding="utf-8"))
STANDARD = "data=moons&noise=0.2&points=60&seed=1&width=16&p=0,0.5,0.5&mode=inverted&rate=0.03&batch=10"
STANDARD += "&pause=300&speed=normal"


def read(text):
    return in_node("playground", "return c.read(data);", text)


def test_without_settings_the_standard_ones_hold_and_nothing_is_said():
    reading = read("")
    assert reading["complaints"] == []
    assert reading["settings"]["p"] == [0] + [KNOWN["p"]["default"]] * KNOWN["layers"]["default"]
    for name, value in reading["settings"].items():
        assert name == "p" or value == KNOWN[name]["default"]
    assert in_node("playground", "return c.write(c.DEFAULTS);", None) == STANDARD


ROUND_TRIPS = [
    STANDARD,
    "data=spirals&noise=0.35&points=200&seed=9999&width=32&p=0.9,0.05,0.15,0.85&mode=classic&rate=0.003"
    "&batch=1&pause=5000&speed=fast",
    "data=circles&noise=0&points=10&seed=7&width=2&p=0,0&mode=inverted&rate=0.3&batch=50&pause=1&speed=slow",
]


@pytest.mark.parametrize("text", ROUND_TRIPS)
def test_what_is_written_is_read_back(text):
    code = "const r = c.read(data); return [c.write(r.settings), r.complaints];"
    assert in_node("playground", code, text) == [text, []]
    assert in_node("playground", code, f"#{text}") == [text, []]


@pytest.mark.parametrize("name", ["noise", "p"])
def test_every_step_of_a_slider_is_read_back(name):
    """0.15 is three steps of 0.05, though 3 · 0.05 is not 0.15 in floating point."""
    code = """const { min, max, step } = data.known;
    const found = [];
    for (let k = 0; min + k * step < max + step / 2; k++) {
      const value = (min + k * step).toFixed(2);
      found.push(c.read(`${data.name}=${data.name === "p" ? "0," : ""}${value}`).complaints);
    }
    return found;"""
    complaints = in_node("playground", code, {"known": KNOWN[name], "name": name})
    assert len(complaints) == round((KNOWN[name]["max"] - KNOWN[name]["min"]) / KNOWN[name]["step"]) + 1
    assert complaints == [[]] * len(complaints)


WRONG = [
    ("noise=9", "noise", 0.6, "noise goes from 0 to 0.6 in steps of 0.05: “9” was set to 0.6."),
    ("noise=-1", "noise", 0, "noise goes from 0 to 0.6 in steps of 0.05: “-1” was set to 0."),
    ("noise=0.33", "noise", 0.35, "“0.33” was set to 0.35."),
    ("noise=much", "noise", 0.2, "“much” was set to 0.2."),
    ("noise=", "noise", 0.2, "“” was set to 0.2."),
    ("noise=Infinity", "noise", 0.2, "“Infinity” was set to 0.2."),
    ("points=55.5", "points", 60, "points goes from 10 to 200 in steps of 10: “55.5” was set to 60."),
    ("width=1000", "width", 32, "width goes from 2 to 32 in steps of 1: “1000” was set to 32."),
    ("seed=0", "seed", 1, "seed goes from 1 to 9999 in steps of 1: “0” was set to 1."),
    ("pause=1e9", "pause", 5000, "pause goes from 1 to 5000 in steps of 1: “1e9” was set to 5000."),
    ("data=squares", "data", "moons", "data is one of moons, circles, spirals: “squares” was set to moons."),
    ("mode=Inverted", "mode", "inverted", "mode is one of inverted, classic: “Inverted” was set to"),
    ("rate=1", "rate", 0.03, "rate is one of 0.003, 0.01, 0.03, 0.1, 0.3: “1” was set to 0.03."),
    ("p=0.5", "p", [0, 0.5, 0.5], "p lists the rate of the inputs and of 1 to 3 hidden layers"),
    ("p=0,0,0,0,0", "p", [0, 0.5, 0.5], "“0,0,0,0,0” was set to 0,0.5,0.5."),
    ("p=0,1", "p", [0, 0.9], "p goes from 0 to 0.9 in steps of 0.05: “1” was set to 0.9."),
    ("p=0,x,0.3", "p", [0, 0.5, 0.3], "p goes from 0 to 0.9 in steps of 0.05: “x” was set to 0.5."),
    ("depth=3", "width", 16, "There is no setting “depth”; there are data, noise, points,"),
    ("seed=3&seed=4", "seed", 3, "seed is given more than once; the first value counts."),
    ("__proto__=3", "seed", 1, "There is no setting “__proto__”"),
]


@pytest.mark.parametrize(("text", "name", "value", "words"), WRONG)
def test_what_is_wrong_is_named_with_its_range_and_set_right(text, name, value, words):
    reading = read(text)
    [complaint] = reading["complaints"]
    assert words in complaint
    assert reading["settings"][name] == value
    code = "return c.read(c.write(data)).complaints;"
    assert in_node("playground", code, reading["settings"]) == []  # what was set right is right


@pytest.mark.parametrize("text", ["rate=0.10", "rate=1e-1", "noise=0.20", "points=6e1", "p=0.0,0.50"])
def test_a_number_may_be_written_in_several_ways(text):
    assert read(text)["complaints"] == []


def test_every_mistake_is_named():
    complaints = read("noise=9&width=0&p=2,2&colour=red")["complaints"]
    assert len(complaints) == 5


def test_places_on_the_page_are_no_settings():
    code = "return data.map((hash) => c.isState(hash));"
    assert in_node("playground", code, ["", "#", "#the-three-surfaces", "#noise=1"]) == [False] * 3 + [True]


LINKS = [
    (path.name, state)
    for path in sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("chapters/*.md"))
    for state in re.findall(r"\{playground\}`[^`]*?<([^>`]+)>`", path.read_text(encoding="utf-8"))
]


def test_the_book_links_to_states():
    assert len(LINKS) >= 4


@pytest.mark.parametrize(("page", "state"), LINKS)
def test_the_links_of_the_book_name_only_settings_that_there_are(page, state):
    assert read(state)["complaints"] == []


RUN = "const t = new c.Trainer(c.read(data).settings); for (let i = 0; i < 5; i++) t.step(); return t.losses;"


def test_the_same_state_gives_the_same_run():
    one, two, other = (in_node("playground", RUN, f"seed={seed}") for seed in (5, 5, 6))
    assert one == two
    assert one["train"] != other["train"]
    assert len(one["train"]) == len(one["test"]) == 6


def test_data_and_initial_weights_do_not_depend_on_dropout():
    code = """return data.map((text) => {
      const run = c.record(c.read(text).settings, 1);
      return [run.train, run.test, run.start, run.batches.map((batch) => batch.points)];
    });"""
    states = ["p=0,0,0", "p=0,0.5,0.5", "p=0.3,0.9,0.1&mode=classic"]
    first, *others = in_node("playground", code, states)
    assert all(other == first for other in others)


def test_both_modes_draw_the_same_masks_and_differ():
    code = """return ["inverted", "classic"].map((mode) => {
      const run = c.record(c.read(`mode=${mode}&p=0,0.5,0.3`).settings, 2);
      return [run.batches, run.losses];
    });"""
    (masks, losses), (other_masks, other_losses) = in_node("playground", code, None)
    assert masks == other_masks
    assert losses != other_losses


def test_without_dropout_all_predictors_and_both_modes_are_one():
    code = """return ["inverted", "classic"].map((mode) => {
      const t = new c.Trainer(c.read(`mode=${mode}&p=0,0,0`).settings);
      t.step();
      return [c.fullSurface(t), c.thinnedSurface(t, t.mask), c.averageSurface(t)].map((surface) => {
        surface.begin(1);
        surface.advance(1, () => 0);
        return [...surface.shown];
      });
    });"""
    surfaces = [surface for mode in in_node("playground", code, None) for surface in mode]
    assert all(surface == surfaces[0] for surface in surfaces)
    assert len(set(surfaces[0])) > 1000


def test_a_surface_is_the_mean_of_its_networks():
    """Its scores are those of the trainer, and which networks are averaged follows from the state."""
    code = """const t = new c.Trainer(c.read("p=0,0.5&width=8").settings);
    for (let i = 0; i < 20; i++) t.step();
    const full = c.fullSurface(t);
    const average = c.averageSurface(t);
    const out = [];
    for (const [surface, networks] of [[full, 1], [average, 400]]) {
      surface.begin(networks);
      surface.advance(1, () => 0);
      out.push([surface.scores(), surface.networks, surface.epoch, [...surface.shown]]);
    }
    average.begin(400);
    average.advance(1, () => 0);
    return [...out, t.losses, [...average.shown]];"""
    full, average, losses, again = in_node("playground", code, None)
    assert full[0]["train"]["loss"] == pytest.approx(losses["train"][-1], abs=1e-12)
    assert full[0]["test"]["loss"] == pytest.approx(losses["test"][-1], abs=1e-12)
    assert [full[1:3], average[1:3]] == [[1, 20], [400, 20]]
    assert average[3] == again  # the networks follow from seed and epoch
    assert average[3] != full[3]


def test_a_run_that_diverges_says_so():
    code = """const t = new c.Trainer(c.read("rate=0.3&p=0,0,0,0").settings);
    const before = t.hasDiverged;
    t.parameters.all.fill(1e300);
    t.step();
    return [before, t.hasDiverged];"""
    assert in_node("playground", code, None) == [False, True]


def test_points_lie_where_the_figure_of_their_class_lies():
    code = """return ["moons", "circles", "spirals"].map((shape) => {
      const points = c.draw(shape, 400, 0, new c.Random(1));
      return [[...points.x], [...points.y]];
    });"""
    for x, y in in_node("playground", code, None):
        assert sorted(y) == [0] * 200 + [1] * 200
        assert max(map(abs, x)) <= 1.6  # within the picture, with room for noise
    moons, circles, spirals = in_node("playground", code, None)
    radii = {}
    for place, label in enumerate(circles[1]):
        radii.setdefault(label, set()).add(
            round(sum(v * v for v in circles[0][2 * place : 2 * place + 2]), 9)
        )
    assert {label: len(values) for label, values in radii.items()} == {0: 1, 1: 1}
    assert min(radii[0]) > max(radii[1])
    assert moons != spirals


def test_noise_has_the_standard_deviation_that_it_names():
    code = """const of = (noise) => c.draw("moons", 4000, noise, new c.Random(3)).x;
    const normal = new c.Random(5);
    return Array.from({ length: 8000 }, () => normal.normal());"""
    values = in_node("playground", code, None)
    n = len(values)
    mean = sum(values) / n
    variance = sum((value - mean) ** 2 for value in values) / n
    assert abs(mean) <= 5 / n**0.5  # 5 standard errors of a mean
    assert abs(variance - 1) <= 5 * (2 / n) ** 0.5  # and of the variance of normal numbers
