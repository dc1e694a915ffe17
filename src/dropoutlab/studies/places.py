"""Where stored results lie."""

from pathlib import Path

from dropoutlab.studies.errors import StudyError

_MARKS = ("pyproject.toml", "_config.yml")


def results_root(start: Path | None = None) -> Path:
    """Return the folder ``results`` of the repository that a folder belongs to.

    Args:
        start: where the search upwards begins; by default the current folder.

    Returns:
        ``results`` beside the first ``pyproject.toml`` that has a ``_config.yml`` beside it, whether the
        folder exists or not.

    Raises:
        StudyError: no folder from ``start`` upwards is the repository's root.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if all((folder / mark).is_file() for mark in _MARKS):
            return folder / "results"
    raise StudyError(
        f"no {' and '.join(_MARKS)} in {here} or above; change into the repository, "
        "or name the folder of the results (--results DIR)"
    )
