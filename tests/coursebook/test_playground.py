"""The fields that the directive writes are those that the script knows."""

import json

import pytest
from docutils import nodes

from coursebook import playground
from coursebook.assets import PLAYGROUND
from coursebook.card_nodes import Html, HtmlText

KNOWN = json.loads(PLAYGROUND.read_text(encoding="utf-8"))


def find(place, tag):
    elements = [*place.findall(Html), *place.findall(HtmlText)]
    return [element for element in elements if element["tag"] == tag]


@pytest.fixture
def sets():
    return playground._fieldsets()


def test_each_group_of_settings_is_a_named_set_of_fields(sets):
    legends = [find(each, "legend")[0].astext() for each in sets]
    assert legends == ["Data", "Network", "Dropout", "Training"]


def test_every_field_has_a_label_and_its_limits(sets):
    names = []
    for each in sets:
        labels = {label["attributes"]["for"]: label.astext() for label in find(each, "label")}
        fields = [*find(each, "input"), *find(each, "select")]
        assert labels.keys() == {field["ids"][0] for field in fields}
        assert all(labels.values())
        for field in fields:
            name = field["attributes"]["name"]
            names.append(name)
            setting = KNOWN["p" if name in {"p0", "p1", "p2", "p3"} else name]
            if field["tag"] == "select":
                options = find(field, "option")
                assert [option.astext() for option in options] == [str(value) for value in setting["values"]]
                chosen = [option.astext() for option in options if "selected" in option["attributes"]]
                assert chosen == [str(setting["default"])]
            else:
                limits = {key: float(field["attributes"][key]) for key in ("min", "max", "step")}
                assert limits == {key: setting[key] for key in limits}
    assert sorted(names) == sorted(KNOWN.keys() - {"p"} | {"p0", "p1", "p2", "p3"})


def test_a_slider_shows_its_value_and_long_ranges_are_typed(sets):
    for each in sets:
        for field in find(each, "input"):
            outputs = [out for out in find(each, "output") if out["attributes"]["for"] == field["ids"][0]]
            if field["attributes"]["type"] == "range":
                assert [output.astext() for output in outputs] == [field["attributes"]["value"]]
            else:
                assert field["attributes"]["type"] == "number"
                assert outputs == []


def test_inputs_are_kept_unless_one_says_otherwise(sets):
    fields = {field["attributes"]["name"]: field for each in sets for field in find(each, "input")}
    assert fields["p0"]["attributes"]["value"] == "0"
    assert fields["p1"]["attributes"]["value"] == f"{KNOWN['p']['default']:g}"


def test_the_three_surfaces_are_rows_of_a_table():
    table = playground._scores()
    rows = [row for row in find(table, "tr") if "data-scores" in row["attributes"]]
    assert [row["attributes"]["data-scores"] for row in rows] == ["full", "thinned", "average"]
    assert all(len(find(row, "td")) == 4 for row in rows)
    assert isinstance(find(table, "caption")[0].children[0], nodes.Text)
