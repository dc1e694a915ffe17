"""On paper nothing folds: hints, answers and solutions move to the end of their page, out of sight."""

from collections.abc import Callable, Iterator

from docutils import nodes

from coursebook.card_nodes import Html, HtmlText

HINTS, SOLUTIONS = "Hints", "Answers and solutions"


def solutions_last(page: nodes.Element, name_of: Callable[[nodes.Element], str]) -> None:
    """Move hints, answers and solutions to two sections at the end of a page; open whatever else is folded.

    Args:
        page: the node that holds one page, its first section being the page's own.
        name_of: gives an exercise its name, such as "Exercise 20".
    """
    hints: list[nodes.Node] = []
    solutions: list[nodes.Node] = []
    for number, card in enumerate(list(page.findall(_has_class("recall-card"))), start=1):
        name = f"Card {number}"
        _title(card).insert(0, nodes.Text(f"{name} · "))
        hints += _gather(name, card, "recall-hint")
        solutions += _gather(name, card, "recall-answer")
    for item in list(page.findall(_has_class("exercise", "solution", "graded"))):
        if "solution" in item["classes"]:
            _unfold(item)
            item.parent.remove(item)
            solutions.append(item)
        elif "graded" in item["classes"]:
            name = item[0].astext()
            hints += _gather(name, item, "graded-hint")
            solutions += _gather(name, item, "graded-solution")
        else:
            hints += _gather(name_of(item), item, "dropdown")
    for folded in page.findall(_has_class("dropdown")):
        _unfold(folded)
    own = next(page.findall(nodes.section), None)
    for title, content in ((HINTS, hints), (SOLUTIONS, solutions)):
        if own is not None and content:
            name = title.lower().replace(" ", "-")
            own += nodes.section("", nodes.title("", title), *content, ids=[name], classes=["set-apart"])


def _has_class(*names: str) -> Callable[[nodes.Node], bool]:
    return lambda node: isinstance(node, nodes.Element) and bool(set(names) & set(node.get("classes", ())))


def _title(card: nodes.Element) -> nodes.Element:
    title: nodes.Element = next(card.findall(_has_class("recall-title")))
    return title


def _gather(name: str, item: nodes.Element, kind: str) -> Iterator[nodes.Node]:
    """Take the folded parts of one kind out of a card or an exercise; give them under its name."""
    parts = list(item.findall(_has_class(kind)))
    if not parts:
        return
    gathered = nodes.container("", classes=["set-apart-item"])
    gathered += nodes.paragraph("", "", nodes.strong("", name), classes=["set-apart-name"])
    for part in parts:
        part.parent.remove(part)
        title, *content = part.children
        if len(parts) > 1:
            gathered += nodes.paragraph(
                "", "", nodes.emphasis("", title.astext()), classes=["set-apart-name"]
            )
        gathered += content
    yield gathered


def _unfold(item: nodes.Element) -> None:
    item["classes"] = [name for name in item["classes"] if name not in {"dropdown", "toggle"}]


def open_details(tree: nodes.Element) -> None:
    """Leave out code that is folded on screen, and show everything else that is folded there."""
    for node in list(tree.findall(nodes.Element)):
        if any(_is_folded(child) for child in node.children):
            node.children = [kept for child in node.children for kept in _opened(child)]
            for child in node.children:
                node.setup_child(child)
        if isinstance(node, Html | HtmlText) and node["tag"] == "details":
            node["tag"] = "div"
            node["attributes"] = {}


def _is_folded(node: nodes.Node) -> bool:
    return type(node).__name__ == "HideCodeCellNode"  # of MyST-NB, which does not export it


def _opened(node: nodes.Node) -> list[nodes.Node]:
    if not _is_folded(node):
        return [node]
    return [child for child in node.children if child.get("nb_element") != "cell_code_source"]
