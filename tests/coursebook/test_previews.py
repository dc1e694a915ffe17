"""A page carries what its links to terms and claims lead to, and nothing else."""

import json
import re
from types import SimpleNamespace

import pytest

from coursebook.previews import LONGEST, previews, write
from coursebook.search_texts import collected

TEXTS = {
    "glossary": [("", "Glossary", ""), ("term-mask", "mask", "One coin per unit.")],
    "chapters/12-e": [("claim-a-1", "A-1 Fair.", "word " * 100)],
}


def link(address):
    return f'<a class="reference internal" href="{address}">'


@pytest.mark.parametrize(
    ("page", "address"),
    [("chapters/01-a", "../glossary.html#term-mask"), ("intro", "glossary.html#term-mask")],
)
def test_a_term_is_found_from_any_folder(page, address):
    assert previews(page, link(address) * 2, TEXTS) == {address: ("mask", "One coin per unit.")}


def test_a_long_text_is_cut_after_a_word():
    ((_, text),) = previews("chapters/01-a", link("12-e.html#claim-a-1"), TEXTS).values()
    assert text.endswith("word …")
    assert len(text) <= LONGEST + 2


@pytest.mark.parametrize(
    "address", ["glossary.html#term-none", "none.html#term-mask", "glossary.html#top", "#term-mask"]
)
def test_other_links_have_none(address):
    assert previews("intro", link(address), TEXTS) == {}


@pytest.mark.parametrize("exception", [None, RuntimeError("the build failed")])
def test_they_stand_at_the_end_of_the_page(tmp_path, exception):
    app = SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(name="html"))
    collected(app).update(glossary=[("term-mask", "mask", "No </script> here.")], intro=[])
    page = f"<body>{link('glossary.html#term-mask')}</body>"
    for name in ("intro", "glossary"):
        (tmp_path / f"{name}.html").write_text(page if name == "intro" else "<body></body>")
    write(app, exception)
    found = re.findall(
        r'<script type="application/json" id="previews">(.*?)</script>\n</body>$',
        (tmp_path / "intro.html").read_text(),
    )
    if exception:
        assert found == []
    else:
        assert json.loads(found[0]) == {"glossary.html#term-mask": ["mask", "No </script> here."]}
        assert (tmp_path / "glossary.html").read_text() == "<body></body>"
