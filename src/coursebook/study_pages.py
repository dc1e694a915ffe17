"""The page of a study, written in Markdown from its registration and its stored rows."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from coursebook.numbers import count, effect, p_value
from coursebook.rules import shown
from dropoutlab.figures.studies import all_runs, described
from dropoutlab.stats import mean_interval
from dropoutlab.studies.decide import Outcome
from dropoutlab.studies.manifest import Manifest
from dropoutlab.studies.protocol import Metric, Study

PICTURES = Path("_build") / "pictures"
_BAR = "\\|"  # a bar by itself would end a cell
_COLUMNS = 6  # readings that fit beside one another
_PANELS = 4  # as many metrics as a page shows in pictures; the table has them all


def page(
    study: Study, rows: pd.DataFrame, outcomes: dict[str, Outcome], manifest: Manifest, root: Path
) -> str:
    """Write everything below the title.

    Args:
        study: the registration.
        rows: all its rows.
        outcomes: criterion id → outcome.
        manifest: where and when the rows were made.
        root: the book's source folder; the picture is written below it.

    Returns:
        MyST Markdown.
    """
    return "\n\n".join(
        [
            "## Question\n\n" + study.question,
            "## Protocol\n\n" + study.protocol.strip(),
            "## Verdicts\n\n" + _verdicts(study, outcomes),
            "## All runs\n\n" + _figure(study, rows, root),
            _means(study, rows),
            "## Repeat it\n\n" + _repeat(study, manifest),
        ]
    )


def registration(study: Study) -> str:
    """Write the page of a study whose runs are not all stored: what was registered, and no number.

    Args:
        study: the registration.

    Returns:
        MyST Markdown.
    """
    criteria = "\n\n".join(
        f"{criterion.statement.rstrip('.')}\n: {{verdict}}`not measured`\n: {shown(criterion.rule)}"
        for criterion in study.criteria
    )
    return "\n\n".join(
        [
            "## Question\n\n" + study.question,
            "Not all registered runs are stored. Nothing is concluded before they are.",
            "## Protocol\n\n" + study.protocol.strip(),
            "## What will be judged\n\n" + criteria,
            f"## Run it\n\n```console\n$ dropoutlab study run {study.name}\n```",
        ]
    )


def shown_metrics(study: Study) -> dict[str, Metric]:
    """Choose the metrics that the picture shows: those that the criteria use, first come first served."""
    used = dict.fromkeys(metric for criterion in study.criteria for metric in criterion.metrics)
    return {name: study.metrics[name] for name in list(used)[:_PANELS]}


def _verdicts(study: Study, outcomes: dict[str, Outcome]) -> str:
    lines = [
        "The rules were fixed, and committed, before the first run. Intervals are 95 % t-intervals over "
        "paired seeds; the bootstrap interval is a check on them and decides nothing.",
        "",
    ]
    for criterion in study.criteria:
        outcome = outcomes[criterion.id]
        unit = "ratio" if outcome.unit == "ratio" else outcome.unit
        numbers = [effect(outcome.effect, outcome.low, outcome.high, unit), count(outcome.n)]
        if outcome.p_value is not None:
            numbers.append(p_value(outcome.p_value))
        if outcome.bootstrap is not None:
            low, high = outcome.bootstrap
            numbers.append(f"bootstrap {effect(outcome.effect, low, high, unit).partition(' ')[2]}")
        lines += [
            f"{criterion.statement.rstrip('.')}",
            f": {{verdict}}`{outcome.verdict}` {'; '.join(numbers)}",
            f": {shown(criterion.rule)}",
            "",
        ]
    return "\n".join(lines)


def _figure(study: Study, rows: pd.DataFrame, root: Path) -> str:
    metrics, arms = shown_metrics(study), list(study.arms)
    picture = all_runs(rows, arms, metrics)
    name = f"{study.name}-{hashlib.sha256(picture.png).hexdigest()[:12]}.png"
    folder = root / PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(picture.png)
    return "\n".join(
        [
            f"```{{figure}} /{PICTURES.as_posix()}/{name}",
            f":alt: {described(rows, arms, metrics)}",
            f":width: {picture.width}px",
            f":name: fig-study-{study.name}",
            f"Every run of the study: {len(rows)} of them, {rows.seed.nunique()} seeds in each arm. "
            "The upright stroke is the mean, the line its 95 % t-interval.",
            "```",
        ]
    )


def _means(study: Study, rows: pd.DataFrame) -> str:
    """Write a table of means with intervals, as narrow as it can be, and what its readings are."""
    metrics = study.metrics
    readings = [f"`{name}`{_unit(metric)}" for name, metric in metrics.items()]
    arms = [arm.replace("|", _BAR) for arm in study.arms]
    of_arm = [rows.loc[rows.arm == arm] for arm in study.arms]
    cells = [[_mean(each[name], metric) for name, metric in metrics.items()] for each in of_arm]
    if len(metrics) > max(_COLUMNS, len(arms)):
        lines = _table(["Reading", *arms], readings, list(zip(*cells, strict=True)))
    else:
        lines = _table(["Arm", *readings], arms, cells)
    meanings = [f"- `{name}`: {metric.meaning}" for name, metric in metrics.items()]
    return "Means over seeds with 95 % t-intervals:\n\n" + "\n".join([*lines, "", *meanings])


def _table(head: list[str], names: list[str], cells: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|:--|" + "--:|" * (len(head) - 1)]
    return lines + [f"| {' | '.join([name, *row])} |" for name, row in zip(names, cells, strict=True)]


def _mean(values: "pd.Series[float]", metric: Metric) -> str:
    present = values.dropna() * (100 if metric.unit == "fraction" else 1)
    if len(present) < 2:
        return "–"
    mean = mean_interval(present)
    digits = 0 if abs(mean.mean) >= 1000 else 2 if abs(mean.mean) >= 0.1 or mean.mean == 0 else 4
    return f"{mean:.{digits}f}".replace(", ", ",\u00a0")  # an interval stays on its line


def _unit(metric: Metric) -> str:
    return {"fraction": ", %", "1": ""}.get(metric.unit, f", {metric.unit}")


def _repeat(study: Study, manifest: Manifest) -> str:
    made = manifest.environment
    minutes = manifest.wall_seconds / 60
    return "\n".join(
        [
            "```console",
            f"$ dropoutlab study run {study.name} --results elsewhere",
            f"$ dropoutlab study verify {study.name} --sample 3",
            "```",
            "",
            f"The first command trains everything anew in another folder; that took {minutes:.0f} minutes "
            "where the stored runs were made. The second repeats three stored runs and compares them.",
            "",
            f"- Data: {{download}}`runs.csv </results/{study.name}/runs.csv>`, "
            f"{{download}}`manifest.json </results/{study.name}/manifest.json>`",
            f"- Made with torch {made.get('torch', '?')} and Python {made.get('python', '?')} on "
            f"{manifest.finished or manifest.started:.10}",
            f"- Protocol digest `{manifest.digest[:16]}`",
        ]
    )
