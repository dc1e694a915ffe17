from types import SimpleNamespace

import pytest
from docutils import nodes

from coursebook.numbering import renumber, setup


@pytest.fixture
def env():
    """What Sphinx knows when the table of contents lists chapters 1 and 4 only."""
    chapter, other = "chapters/04-scaling", "glossary"
    toc = nodes.bullet_list()
    toc += nodes.reference("", "", refuri=chapter, anchorname="", secnumber=(2,))
    toc += nodes.reference("", "", refuri=chapter, anchorname="#part", secnumber=[2, 1])
    toc += nodes.reference("", "", refuri=other, anchorname="", secnumber=(3,))
    toc += nodes.reference("", "", refuri=chapter, anchorname="#unnumbered")
    return SimpleNamespace(
        toc_secnumbers={chapter: {"": (2,), "#part": (2, 1)}, other: {"": (3,)}},
        toc_fignumbers={chapter: {"figure": {"fig-a": (2, 5)}, "displaymath": {"eq-a": (2, 1)}}},
        titles={chapter: nodes.title(secnumber=(2,)), other: nodes.title(secnumber=(3,))},
        tocs={"intro": toc},
    )


def test_everything_in_a_chapter_takes_the_number_of_its_file(env):
    assert renumber(None, env) == []
    chapter = "chapters/04-scaling"
    assert env.toc_secnumbers[chapter] == {"": (4,), "#part": (4, 1)}
    assert env.toc_fignumbers[chapter] == {"figure": {"fig-a": (4, 5)}, "displaymath": {"eq-a": (4, 1)}}
    assert env.titles[chapter]["secnumber"] == (4,)
    numbers = [link.get("secnumber") for link in env.tocs["intro"].findall(nodes.reference)]
    assert numbers == [(4,), (4, 1), (3,), None]


def test_pages_without_a_number_in_their_name_keep_theirs(env):
    renumber(None, env)
    assert env.toc_secnumbers["glossary"] == {"": (3,)}
    assert env.titles["glossary"]["secnumber"] == (3,)


def test_a_chapter_without_figures_or_number_is_no_problem(env):
    env.toc_fignumbers = {}
    env.titles["chapters/04-scaling"] = nodes.title()
    renumber(None, env)
    assert "secnumber" not in env.titles["chapters/04-scaling"]


def test_it_runs_after_sphinx_has_counted():
    connected = {}
    app = SimpleNamespace(connect=lambda event, step, priority: connected.update({event: (step, priority)}))
    setup(app)
    step, priority = connected["env-get-updated"]
    assert step is renumber
    assert priority > 500  # the default, at which Sphinx's own collectors run
