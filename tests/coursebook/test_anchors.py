from types import SimpleNamespace

import pytest
from docutils import nodes

from coursebook.anchors import add_labels, setup


@pytest.fixture
def document():
    document = nodes.document(None, None)
    labelled = nodes.section(
        "", nodes.title("", "The switch, and how it fails"), names=["the-switch", "a title"]
    )
    labelled.line = 7
    exercise_body = nodes.section("", nodes.paragraph("", "text"), names=["body"])
    document += [labelled, exercise_body]
    document.nameids = {"the-switch": "the-switch", "a title": None, "body": "body"}
    return document


def app_with(metadata):
    return SimpleNamespace(env=SimpleNamespace(docname="chapters/04-scaling", metadata=metadata))


def test_labels_become_anchors_with_the_title_as_text(document):
    app = app_with({"chapters/04-scaling": {}})
    add_labels(app, document)
    assert app.env.metadata["chapters/04-scaling"]["myst_slugs"] == {
        "the-switch": (7, "the-switch", "The switch, and how it fails")
    }


def test_what_myst_derived_from_a_heading_is_kept(document):
    derived = {"the-switch": (1, "elsewhere", "Another section")}
    app = app_with({"chapters/04-scaling": {"myst_slugs": derived}})
    add_labels(app, document)
    assert derived == {"the-switch": (1, "elsewhere", "Another section")}


def test_it_runs_when_a_page_has_been_read():
    connected = []
    setup(SimpleNamespace(connect=lambda event, step: connected.append((event, step))))
    assert connected == [("doctree-read", add_labels)]
