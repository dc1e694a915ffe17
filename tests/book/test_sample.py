"""Every kind of thing that a page may hold comes out as it should."""

import re
import zipfile

import nbformat
import pytest
from bs4 import BeautifulSoup

from coursebook.page_checks import find_problems, read_book

CHAPTER, EXERCISES = "chapters/01-coins", "exercises/01-coins"


@pytest.fixture(scope="session")
def chapter(sample):
    return BeautifulSoup(sample.page(CHAPTER), "html.parser")


@pytest.fixture(scope="session")
def exercises(sample):
    return BeautifulSoup(sample.page(EXERCISES), "html.parser")


def test_the_sample_breaks_no_rule(sample):
    assert len(read_book(sample.html)) >= 7
    assert find_problems(sample.html) == []


def test_a_picture_has_its_logical_size_its_description_and_its_caption(chapter):
    image = chapter.select_one("article figure img")
    assert image["alt"].startswith("Ten bars for the number of heads")
    assert image["style"] == "width: 600px; height: 300px;"
    assert image.find_parent("a")["href"] == image["src"]  # a click shows it in full
    caption = image.find_parent("figure").figcaption
    assert caption.find("math") is not None
    assert caption.select_one(".caption-number").get_text() == "Fig. 1.1 "


def test_formulas_are_rendered_and_numbered_once(chapter):
    blocks = chapter.select("div.math.display")
    numbers = [[number.contents[0] for number in block.select(".eqno")] for block in blocks]
    assert numbers == [["(1.1)"], ["(1.2)"], []]
    assert not chapter.select(".katex .eqn-num")
    assert chapter.select_one("a[href='#equation-eq-count']").get_text() == "(1.1)"


def test_no_line_ends_between_a_formula_or_a_label_and_its_punctuation(chapter):
    assert {tuple(part["class"]) for part in chapter.select("article .unbroken")} == {("unbroken",)}
    texts = [part.get_text() for part in chapter.select("article .unbroken")]
    assert "exact." in texts
    assert {text[-1] for text in texts} >= {".", ",", ")"}
    assert "(" in {text[0] for text in texts}
    sentence = chapter.find(string=re.compile("nobody dropped")).parent.get_text()
    assert re.search(r"nobody dropped \(k.*\)\.$", sentence)  # nothing is lost and nothing is doubled
    long = [
        formula
        for formula in chapter.select("article p > span.math")
        if "binom" in formula.annotation.get_text()
    ]
    assert [str(formula.next_sibling) for formula in long] == ["."]  # a long one may break within


def test_glued_values_evidence_and_predictions_are_there(chapter):
    text = chapter.article.get_text(" ", strip=True)
    assert "the most likely one is 7 of ten" in text
    labels = [label.get_text() for label in chapter.select(".evidence")]
    assert labels[:4] == ["measured", "exact", "cited", "conjecture"]
    assert chapter.select_one(".admonition.predict .admonition-title").get_text() == "Predict"


def test_the_head_is_settled_before_the_page_is_drawn(chapter):
    description = chapter.find("meta", attrs={"name": "description"})["content"]
    assert description == "How many of ten coins fall heads up, and how sure can you be?"
    shared = {tag["property"]: tag["content"] for tag in chapter.select("meta[property^='og:']")}
    assert shared == {
        "og:type": "article",
        "og:site_name": "Dropout, Measured",
        "og:title": "Coins",
        "og:description": description,
    }  # nothing with an address: the book has none
    assert chapter.find("link", rel="canonical") is None
    scripts = [script for script in chapter.head.find_all("script") if "dataset.theme" in script.get_text()]
    assert len(scripts) == 1
    assert scripts[0].find_next("link", rel="stylesheet") is not None
    assert chapter.html["data-theme"] == "light"  # for readers without JavaScript


def test_what_is_not_used_is_not_shipped(sample):
    names = {path.name for path in sample.html.rglob("*") if path.is_file()}
    assert not {
        name for name in names if name.endswith(".map") or "fontawesome.js" in name or "thebe" in name
    }
    assert {"house.js", "KaTeX_Main-Regular.woff2", "OFL.txt"} <= names
    # One style sheet for the pages with cards, one for the playground, and one for all others.
    assert [name.partition("-")[0] for name in names if name.endswith(".css")] == ["book"] * 3
    assert {name for name in names if name.startswith("fa-")} == {
        "fa-brands-400.woff",
        "fa-regular-400.woff",
        "fa-solid-900.woff",
    }
    assert "katex.min.js" not in names


def test_nothing_delays_the_first_look_at_a_page(chapter):
    assert len(chapter.select("link[rel=stylesheet]")) == 1
    waited_for = [script["src"] for script in chapter.select("script[src]:not([defer])")]
    assert [re.sub(r"\?.*", "", name) for name in waited_for] == ["../_static/documentation_options.js"]
    assert {image.get("loading") for image in chapter.select("article img")} == {"lazy"}


def test_only_the_search_page_loads_the_index_of_all_words(sample):
    loading = {path.name for path in sample.html.rglob("*.html") if "searchindex.js" in path.read_text()}
    assert loading == {"search.html"}


def test_every_button_in_the_sidebar_has_a_name(chapter):
    buttons = chapter.select("#pst-primary-sidebar summary")
    assert all(button.get("aria-label", "").startswith("Pages of “") for button in buttons)


def test_no_button_leads_nowhere_while_the_repository_has_no_address(chapter):
    labels = {button.get_text(strip=True) for button in chapter.select(".article-header-buttons li")}
    assert labels == {".ipynb", ".pdf", "all, with the package (.zip)"}
    assert "executablebooks" not in str(chapter)


def test_what_one_downloads_runs_outside_the_book(sample, chapter):
    link = chapter.find("a", href=re.compile(r"\.ipynb$"), class_="dropdown-item")
    notebook = nbformat.read((sample.html / f"{CHAPTER}.html").parent / link["href"], 4)
    assert "runs on its own" in notebook.cells[0].source
    assert "dropout-measured.zip" in notebook.cells[1].source
    assert "the most likely one is 7 of ten *(exact)*" in "".join(cell.source for cell in notebook.cells)
    packed = chapter.find("a", href="../dropout-measured.zip")
    with zipfile.ZipFile((sample.html / f"{CHAPTER}.html").parent / packed["href"]) as files:
        names = files.namelist()
    assert {"dropout-measured/chapters/01-coins.ipynb", "dropout-measured/results/toy/runs.csv"} <= set(names)
    assert sum(name.endswith(".whl") for name in names) == 1


def test_lists_of_references_have_no_roles_that_they_do_not_keep(sample):
    page = BeautifulSoup(sample.page("references"), "html.parser")
    citations = page.select(".citation-list .citation")
    assert len(citations) == 2
    assert not page.select("article [role=list], article [role=doc-biblioentry]")


def test_the_corner_of_a_table_is_no_heading(chapter):
    assert chapter.select("table.dataframe")
    assert not [cell for cell in chapter.select("table.dataframe th") if not cell.get_text(strip=True)]


def test_hidden_code_is_named_by_the_words_on_it(chapter):
    summaries = chapter.select("details.hide summary")
    assert summaries
    assert not [summary for summary in summaries if summary.has_attr("aria-label")]


def card(soup, name):
    return soup.find(id=f"card-{name}")


def test_cards_are_lists_of_details(exercises):
    cards = exercises.select("ol.recall-cards > li.recall-card")
    assert [item["data-kind"] for item in cards] == [
        "predict",
        "choice",
        "numeric",
        "cloze",
        "recall",
        "cloze",
    ]
    assert cards[0]["data-card"] == "coins-count-dropped"
    assert cards[0]["data-objective"] == "coins/spread"
    for item in cards:
        titles = [details.summary.get_text() for details in item.find_all("details", recursive=False)]
        assert titles == ["Hint", "Answer"]
        assert not item.select("details[open]")


def test_a_number_card_says_what_counts_and_answers_a_misconception(exercises):
    answer = card(exercises, "coins-count-dropped").select_one("details.recall-answer")
    assert answer.p.get_text() == "0.267, and anything within 0.02 of it"
    assert answer.li.get_text().startswith("If you said 1: ")
    assert answer.select_one("div.math.display .katex-mathml")  # a formula on its own line within the reason
    exact = card(exercises, "coins-scale-by-hand").select_one("details.recall-answer")
    assert exact.p.get_text() == "1.25"


def test_a_card_leads_back_to_the_section_that_teaches_it(exercises):
    link = card(exercises, "coins-recall").select_one("details.recall-answer > .recall-taught a")
    assert link["href"] == "../chapters/01-coins.html#deeper"
    assert link.get_text() == "A deeper heading"


def test_every_option_of_a_choice_has_a_reply(exercises):
    choice = card(exercises, "coins-which-mean")
    assert [option.get_text()[:2] for option in choice.select("label")] == ["A:", "B:", "C:"]
    fields = choice.select("fieldset label input")
    assert [(field["type"], field["value"]) for field in fields] == [("radio", letter) for letter in "ABC"]
    replies = choice.select("details.recall-answer li[data-option]")
    assert [reply["data-option"] for reply in replies] == ["A", "B", "C"]
    assert [reply.strong.get_text() for reply in replies] == ["right", "wrong", "wrong"]


def test_blanks_are_numbered_and_filled_in_order(exercises):
    cloze = card(exercises, "coins-blanks")
    assert [blank["aria-label"] for blank in cloze.select(".recall-question input.recall-blank")] == [
        "blank 1",
        "blank 2",
    ]
    assert len(cloze.select("details.recall-answer ol > li")) == 2
    single = card(exercises, "coins-one-blank").select_one("details.recall-answer")
    assert single.p.get_text() == "binomial"


def test_every_card_is_a_named_group_of_fields(exercises):
    for item in exercises.select("li.recall-card"):
        group = item.find("fieldset", recursive=False)
        assert group.legend.get_text() in {"Predict", "Choose one", "Work out", "Fill in", "Recall"}
        question = group.find(id=group["aria-describedby"])
        assert question.get_text(strip=True)
        fields = group.select("input, textarea")
        assert fields
        assert all(field.find_parent("label") or field.has_attr("aria-label") for field in fields)


def loads(sample, page, script, rule):
    """Whether a page loads a script, and whether its one style sheet has the rules that belong to it."""
    names = [tag["src"].split("/")[-1].split("?")[0] for tag in page.select("script[src]")]
    sheet = page.select_one("link[rel=stylesheet]")["href"].split("/")[-1]
    return script in names, rule in (sample.html / "_static" / sheet).read_text(encoding="utf-8")


def test_the_script_comes_only_where_there_are_cards(sample, exercises, chapter):
    review = BeautifulSoup(sample.page("review"), "html.parser")
    for page, expected in ((exercises, True), (chapter, False), (review, True)):
        assert loads(sample, page, "cards.js", ".recall-grades") == (expected, expected)


def test_the_playground_comes_only_on_its_page(sample, chapter):
    page = BeautifulSoup(sample.page("playground"), "html.parser")
    assert loads(sample, page, "playground.js", ".playground-missing") == (True, True)
    assert loads(sample, chapter, "playground.js", ".playground-missing") == (False, False)
    assert page.select_one("form.playground").has_attr("hidden")  # until the script comes
    assert "needs JavaScript" in page.select_one(".playground-missing").get_text()
    link = chapter.find("a", string="a network")
    assert link["href"] == "../playground.html#data=circles&p=0,0.3"


def test_the_review_page_holds_every_card_by_objective(sample):
    review = BeautifulSoup(sample.page("review"), "html.parser")
    groups = review.select("[data-page='01-coins'] > [data-objective]")
    objectives = [group["data-objective"] for group in groups]
    assert objectives == ["coins/spread", "coins/expectation", "coins/words"]
    for group in groups:
        assert group.h4.get_text(strip=True)
        cards = group.select(".recall-card")
        assert cards
        assert {item["data-objective"] for item in cards} == {group["data-objective"]}
    assert len(review.select(".recall-card")) == 6
    assert review.select_one("[data-page] h3").get_text() == "Coins"
    assert review.select_one(".review-all").has_attr("open")  # for readers without JavaScript
    places = review.select("[data-review]")
    assert [place["data-review"] for place in places] == ["session", "progress", "data"]
    assert all("needs JavaScript" in place.get_text() for place in places)
    deck = review.find("a", download=True)
    assert (sample.html / deck["href"]).read_bytes()[:2] == b"PK"


def test_text_on_a_card_is_markdown(exercises):
    recall = card(exercises, "coins-recall")
    assert recall.select_one(".recall-question strong").get_text() == "mask"
    assert recall.select_one(".recall-question div.highlight-python")
    assert "If you said a filter that is learned: nothing about" in recall.get_text()


def test_exercise_and_gated_solution_are_there(exercises):
    assert exercises.select_one(".exercise .katex")
    assert len(exercises.select(".exercise")) == 2  # two may not share their names
    solution = exercises.select_one(".solution.dropdown")
    assert solution.select_one(".cell_input")
    assert solution.select_one(".cell_output").get_text(strip=True) == "2"
