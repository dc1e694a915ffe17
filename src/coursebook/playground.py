r"""A network to play with: the directive that puts it on a page, and the role that links to a state of it.

``{playground}`` writes the form, its pictures and its table; ``static/site/playground.js`` moves them::

    ```{playground}
    ```

The role of the same name leads there and sets it up, from any page::

    {playground}`the network that memorises <data=moons&noise=0.4&points=20&p=0,0>`
"""

import json
from itertools import groupby
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import ReferenceRole, SphinxDirective
from sphinx.util.osutil import relative_uri

from coursebook.assets import PLAYGROUND
from coursebook.card_nodes import html

STYLE, SCRIPT = "playground.css", "playground.js"
PAGE = "playground"

_HAS_PLAYGROUND = "playground"  # in the metadata of a page
_NEEDS_SCRIPT = (
    "The playground trains its network in your browser, and for that it needs JavaScript, which is off here. "
    "What this page says about it can be read without."
)
_BUTTONS = {
    "run": "Train",
    "step": "One epoch",
    "restart": "Start again",
    "copy": "Copy the link to this state",
}
_READINGS = {"epoch": "Epoch ", "train-loss": "training loss ", "test-loss": "test loss "}
_SURFACES = {"full": "Full network", "thinned": "Thinned network", "average": "Average"}
_DRAWINGS = {"network": "The network and its mask", "curve": "Loss"}


class Playground(SphinxDirective):
    """Write what the script needs; without it, readers are told what is missing."""

    def run(self) -> list[nodes.Node]:
        """Make the form from the settings that the script knows."""
        self.env.note_dependency(str(PLAYGROUND))
        self.env.metadata[self.env.docname][_HAS_PLAYGROUND] = True
        form = html(
            "form",
            _part("div", "complaints", attributes={"role": "status"}),
            _bar(),
            html("div", *(_picture(name, title) for name, title in _SURFACES.items()), classes=["play-row"]),
            _scores(),
            html("div", *(_picture(name, title) for name, title in _DRAWINGS.items()), classes=["play-wide"]),
            html("div", *_fieldsets(), classes=["play-settings"]),
            attributes={"hidden": "hidden", "aria-label": "A network to play with", "autocomplete": "off"},
            classes=["playground"],
            ids=["play"],
        )
        self.set_source_info(form)
        self.state.document.note_explicit_target(form)
        # No <noscript>: readers are told too where scripts are allowed and this one does not come.
        return [html("p", nodes.Text(_NEEDS_SCRIPT), classes=["playground-missing"]), form]


class State(ReferenceRole):
    """A link that sets the playground up; the script says so if the state is not one that it knows."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The link, or an error where the state is missing."""
        if not self.has_explicit_title or "=" not in self.target:
            message = f"write a link as {{playground}}`the words <data=moons&p=0,0.5>`, got {self.text!r}"
            return [], [self.inliner.reporter.error(message, line=self.lineno)]
        page = relative_uri(f"{self.env.docname}.html", f"{PAGE}.html")
        attributes = {"href": f"{page}#{self.target}"}
        return [html("a", nodes.Text(self.title), attributes=attributes, classes=["play-link"])], []


def _part(tag: str, name: str, *children: nodes.Node, **options: Any) -> nodes.Element:
    """An element that the script finds by its name."""
    options["attributes"] = {"data-play": name} | options.get("attributes", {})
    return html(tag, *children, **options)


def _bar() -> nodes.Element:
    """Buttons, where the run is, what the reader is told; the same numbers as a sentence to be read out."""
    buttons = [
        _part("button", name, nodes.Text(words), attributes={"type": "button"}, classes=["play-button"])
        for name, words in _BUTTONS.items()
    ]
    readings = [
        html("span", nodes.Text(words), _part("span", name, nodes.Text("–"), classes=["play-number"]))
        for name, words in _READINGS.items()
    ]
    fixed = {"readonly": "", "hidden": "", "aria-label": "Link to this state"}
    return html(
        "div",
        html("div", *buttons, classes=["play-buttons"]),
        html("p", *_spaced(readings), classes=["play-readings"]),
        _part("p", "news", attributes={"role": "status"}, classes=["play-news"]),
        _part("p", "said", attributes={"role": "status"}, classes=["play-said"]),
        _part("input", "link", attributes=fixed),
        classes=["play-bar"],
    )


def _spaced(parts: list[nodes.Element]) -> list[nodes.Node]:
    return [node for part in parts for node in (part, nodes.Text(" "))]


def _picture(name: str, title: str) -> nodes.Element:
    caption: list[nodes.Node] = [nodes.Text(title)]
    if name == "average":
        number = _part("span", "networks", nodes.Text("0"))
        caption += [nodes.Text(" of "), number, nodes.Text(" thinned networks")]
    if name == "network":
        caption += [nodes.Text(". "), _part("span", "mask")]
    return html(
        "figure",
        _part("canvas", name, attributes={"role": "img", "aria-label": title}),
        html("figcaption", *caption),
        classes=[f"play-{name}"],
    )


def _scores() -> nodes.Element:
    """The three surfaces in numbers."""
    rows = [
        html(
            "tr",
            html("th", nodes.Text(title), attributes={"scope": "row"}),
            *(html("td", nodes.Text("–")) for _ in range(4)),
            attributes={"data-scores": name},
        )
        for name, title in _SURFACES.items()
    ]
    two = {"scope": "colgroup", "colspan": "2"}
    groups = [html("th", nodes.Text(f"{kind} points"), attributes=two) for kind in ("training", "test")]
    columns = [html("th", nodes.Text(name), attributes={"scope": "col"}) for name in ("loss", "wrong") * 2]
    corner = html("td", attributes={"rowspan": "2"})
    head = html("thead", html("tr", corner, *groups), html("tr", *columns))
    caption = html("caption", nodes.Text("Loss, and points on the wrong side of the border"))
    return html("table", caption, head, html("tbody", *rows), classes=["play-scores"])


def _fieldsets() -> list[nodes.Element]:
    """The settings by group, each with its label; one p for the inputs and for each hidden layer."""
    known: dict[str, dict[str, Any]] = json.loads(PLAYGROUND.read_text(encoding="utf-8"))
    sets = []
    for group, names in groupby(known, key=lambda name: known[name]["group"]):
        rows: list[nodes.Element] = []
        for name in names:
            rows += _rates(known) if name == "p" else [_row(name, known[name])]
        sets.append(html("fieldset", html("legend", nodes.Text(group)), *rows))
    return sets


def _rates(known: dict[str, dict[str, Any]]) -> list[nodes.Element]:
    """One slider for the inputs, where no dropout is the rule, and one for each hidden layer."""
    p = known["p"]
    rows = [_row("p0", p | {"label": f"{p['label']} inputs", "default": 0})]
    for layer in range(1, max(known["layers"]["values"]) + 1):
        rows.append(_row(f"p{layer}", p | {"label": f"{p['label']} layer {layer}"}))
    return rows


def _row(name: str, setting: dict[str, Any]) -> nodes.Element:
    """A label and its field: a list, a slider with its value beside it, or a number to type."""
    place = f"play-{name}"
    label = html("label", nodes.Text(setting["label"]), attributes={"for": place})
    if "values" in setting:
        fields = [_choice(name, place, setting)]
    else:
        limits = {key: f"{setting[key]:g}" for key in ("min", "max", "step")}
        is_long = (setting["max"] - setting["min"]) / setting["step"] > 1000  # too fine for a slider
        kind = "number" if is_long else "range"
        attributes = {"type": kind, "name": name, "value": f"{setting['default']:g}"} | limits
        fields = [html("input", attributes=attributes, ids=[place])]
        if not is_long:
            value = nodes.Text(f"{setting['default']:g}")
            fields.append(html("output", value, attributes={"for": place, "aria-live": "off"}))
    return html("div", label, *fields, attributes={"data-row": name}, classes=["play-setting"])


def _choice(name: str, place: str, setting: dict[str, Any]) -> nodes.Element:
    options = []
    for value in setting["values"]:
        attributes = {"value": str(value)} | ({"selected": ""} if value == setting["default"] else {})
        options.append(html("option", nodes.Text(str(value)), attributes=attributes))
    return html("select", *options, attributes={"name": name}, ids=[place])


def add_script(
    app: Sphinx, page: str, _template: str, _context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Load the script and the style of the playground on its page alone."""
    if app.env.metadata.get(page, {}).get(_HAS_PLAYGROUND):
        app.add_css_file(STYLE)
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app: Sphinx) -> None:
    """Register the directive, the role and the script; `card_nodes` registers the nodes."""
    app.add_directive("playground", Playground)
    app.add_role("playground", State())
    app.connect("html-page-context", add_script)
