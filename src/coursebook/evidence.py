r"""What the studies say, inserted while the book is built.

``{claim}`` writes a claim's verdict and effect and leads to its entry on the Evidence page::

    Forgetting ``eval()`` is said to ruin the accuracy {claim}`A-14`.

``{claims}`` lists one table of the catalogue, with buttons that choose a verdict; ``{study}`` fills the page
of a study; ``{verdict}`` frames a verdict.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from joblib import Memory
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from coursebook.digest import evidence_digest
from coursebook.numbers import count, effect, p_value, unbroken
from coursebook.study_pages import page, registration
from dropoutlab.catalogue import TABLES, entries
from dropoutlab.claims import Claim, Finding, claims
from dropoutlab.studies.errors import IncompleteError, StudyError
from dropoutlab.studies.manifest import read_manifest
from dropoutlab.studies.reading import judge, load_rows
from dropoutlab.studies.registry import find

STUDIES = "evidence"
VERDICTS = ("supported", "contradicted", "depends", "inconclusive", "exact", "cited only", "not measured")


@cache
def judged(results: Path) -> dict[str, Claim]:
    """Judge the whole catalogue, again only when the lab or the stored runs have changed."""
    found: list[Claim] = _remembering(results.parent, claims)(results)
    return {claim.entry.id: claim for claim in found}


def _remembering(root: Path, compute: Callable[..., Any]) -> Callable[..., Any]:
    """Keep what a function returned between builds: verdicts and pictures take seconds and change seldom."""
    kept = root / "_build" / "remembered"
    current = kept / _evidence_digest(root)
    for former in set(kept.glob("*")) - {current}:
        shutil.rmtree(former, ignore_errors=True)
    remembering: Callable[..., Any] = Memory(current, verbose=0).cache(compute)
    return remembering


_evidence_digest = cache(evidence_digest)  # once per build: pages are many


class Verdict(SphinxRole):
    """A verdict as a word in a frame: the word says it, the colour only helps."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the label, or an error that names the verdicts there are."""
        if self.text not in VERDICTS:
            message = f"a verdict must be one of {', '.join(VERDICTS)}, got {self.text!r}"
            return [], [self.inliner.reporter.error(message, line=self.lineno)]
        return [_frame(self.text)], []


class ClaimRole(SphinxRole):
    """The verdict on a claim with its effect, as a link to the Evidence page."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the link, or an error that says which claims there are."""
        if self.text not in entries():
            message = f"unknown claim {self.text!r}; the ids are {', '.join(entries())}"
            return [], [self.inliner.reporter.error(message, line=self.lineno)]
        root = Path(self.env.srcdir) / "results"
        note_results(self.env, root)
        claim = judged(root)[self.text]
        lead = claim.leading
        text = f"{self.text}: {verdict_word(claim)}"
        if lead is not None:
            text += f", {effect_of(lead)}"
        return [_link(self.env.docname, text, label=anchor(self.text))], []


class Claims(SphinxDirective):
    """All claims of one table of the catalogue."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the filter and one entry per claim."""
        table = self.arguments[0]
        if table not in TABLES:
            raise self.error(f"the catalogue has no table {table!r}; it has {', '.join(TABLES)}")
        root = Path(self.env.srcdir) / "results"
        note_results(self.env, root)
        chosen = [claim for claim in judged(root).values() if _table(claim) == table]
        counts = Counter[str](claim.verdict for claim in chosen)
        present = [("", "all", len(chosen))]
        present += [(each.replace(" ", "-"), each, counts[each]) for each in VERDICTS if counts[each]]
        buttons = "".join(
            f'<button type="button" aria-pressed="{str(not value).lower()}" data-verdict="{value}">'
            f"{word} <span>{count}</span></button>"
            for value, word, count in present
        )
        # Hidden until the script that makes the buttons work shows them.
        html = f'<div class="claim-filter" role="group" aria-label="Show by verdict" hidden>{buttons}</div>'
        return [nodes.raw("", html, format="html"), *(self._entry(claim) for claim in chosen)]

    def _entry(self, claim: Claim) -> nodes.container:
        entry = claim.entry
        head = nodes.paragraph("", "", nodes.strong("", entry.id), nodes.Text(f" {entry.statement} "))
        head += _frame(claim.verdict)
        item = nodes.container(
            "",
            head,
            *self._basis(claim),
            *self._small(claim),
            classes=["claim", f"claim-{claim.verdict.replace(' ', '-')}"],
            ids=[anchor(entry.id)],
        )
        self.set_source_info(item)
        self.state.document.note_explicit_target(item)
        labels = self.env.domains["std"].data
        labels["anonlabels"][anchor(entry.id)] = self.env.docname, anchor(entry.id)
        labels["labels"][anchor(entry.id)] = self.env.docname, anchor(entry.id), entry.id
        return item

    def _basis(self, claim: Claim) -> Iterable[nodes.Node]:
        entry = claim.entry
        if claim.proof is not None:
            truth = "True as stated." if claim.holds else "Not true as stated."
            yield nodes.paragraph("", f"{truth} {claim.proof.says}")
        if entry.cited:
            yield nodes.paragraph("", entry.cited)
        if claim.verdict == "not measured" and entry.parts:
            waiting = nodes.paragraph("", "Registered, and not all runs are stored: ")
            for place, study in enumerate(dict.fromkeys(part.study for part in entry.parts)):
                waiting += nodes.Text(", " if place else "")
                waiting += _link(self.env.docname, study, document=f"{STUDIES}/{study}")
            waiting += nodes.Text(".")
            yield waiting
        if claim.verdict == "depends" and entry.depends:
            yield nodes.paragraph("", f"It depends on {entry.depends}.")
        if claim.findings:
            items = [nodes.list_item("", self._finding(finding)) for finding in claim.findings]
            yield nodes.bullet_list("", *items)

    def _finding(self, finding: Finding) -> nodes.paragraph:
        outcome = finding.outcome
        line = nodes.paragraph("", "", _frame(finding.verdict), nodes.Text(" "))
        line += nodes.Text(f"{finding.part.about}: " if finding.part.about else "")
        line += nodes.Text(effect_of(finding))
        if outcome.p_value is not None:
            line += nodes.Text(f", {p_value(outcome.p_value)}, adjusted {p_value(finding.p_adjusted)}")
        line += nodes.Text("; study ")
        study = finding.part.study
        line += _link(self.env.docname, study, document=f"{STUDIES}/{study}")
        return line

    def _small(self, claim: Claim) -> Iterable[nodes.Node]:
        entry = claim.entry
        texts = [f"Tested on: {entry.scope}." if not entry.cited else f"Scope: {entry.scope}."]
        if entry.made_in:
            texts.append(f"Where it is made: {entry.made_in}.")
        if entry.published:
            texts.append(f"Published: {entry.published}.")
        if entry.differences:
            texts.append(f"Differences: {entry.differences}.")
        paragraph = nodes.paragraph("", unbroken(" ".join(texts)), classes=["claim-small"])
        if entry.source:
            parsed, messages = self.parse_inline(f" {{cite}}`{entry.source}`")
            paragraph.extend([*parsed, *messages])
        yield paragraph


class StudyPage(SphinxDirective):
    """Everything on a study's page below its title."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Read the study's rows and write its page."""
        root = Path(self.env.srcdir)
        folder = root / "results" / self.arguments[0]
        note_results(self.env, root / "results", [folder])
        name = self.arguments[0]
        try:
            text = "\n\n".join([_remembering(root, _page)(name, root), _claims_resting_on(name)])
        except StudyError as error:
            raise self.error(str(error)) from error
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def _page(name: str, root: Path) -> str:
    study = find(name)
    try:
        rows = load_rows(study, root / "results")
    except IncompleteError:
        return registration(study)
    manifest = read_manifest(root / "results" / study.name)
    assert manifest is not None  # rows without one are refused
    return page(study, rows, judge(study, rows), manifest, root)


def _claims_resting_on(study: str) -> str:
    bound = [entry for entry in entries().values() if any(part.study == study for part in entry.parts)]
    if not bound:
        return ""
    return "## Claims that rest on it\n\n" + "\n".join(
        f"- {entry.statement} {{claim}}`{entry.id}`" for entry in bound
    )


def anchor(claim_id: str) -> str:
    """Give the anchor of a claim on the Evidence page.

    Example:
        >>> anchor("A-14")
        'claim-a-14'
    """
    return f"claim-{claim_id.lower()}"


def _table(claim: Claim) -> str:
    return {"X": "contradictions", "R": "replications"}.get(claim.entry.id[0], "articles")


def effect_of(finding: Finding) -> str:
    """Write the effect that a criterion judged: with its interval, its unit and its number of seeds."""
    outcome = finding.outcome
    return f"{effect(outcome.effect, outcome.low, outcome.high, outcome.unit)}, {count(outcome.n)}"


def verdict_word(claim: Claim) -> str:
    """Give the verdict in words; of a proof, also whether the statement is true."""
    if claim.verdict == "exact":
        return "exact, true" if claim.holds else "exact, not true"
    return claim.verdict


def _frame(verdict: str) -> nodes.inline:
    return nodes.inline("", verdict, classes=["evidence", f"verdict-{verdict.replace(' ', '-')}"])


def _link(docname: str, text: str, *, label: str = "", document: str = "") -> nodes.Node:
    """Refer to a label, or to a whole document, under a text of our own."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", text),
        refdoc=docname,
        refdomain="std",
        reftype="ref" if label else "doc",
        reftarget=label or f"/{document}",
        refexplicit=True,
        refwarn=True,
    )


def note_results(env: Any, root: Path, folders: Sequence[Path] | None = None) -> None:
    """Make the page depend on the stored results, so that a new study rebuilds it."""
    chosen = sorted(root.glob("*")) if folders is None else folders
    for folder in chosen:
        for name in ("runs.csv", "manifest.json"):
            env.note_dependency(str(folder / name))


def setup(app: Sphinx) -> None:
    """Register the directives and roles."""
    app.add_directive("claims", Claims)
    app.add_directive("study", StudyPage)
    app.add_role("claim", ClaimRole())
    app.add_role("verdict", Verdict())
