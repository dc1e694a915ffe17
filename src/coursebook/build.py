"""Build the book from the stored outputs. Nothing is executed, and no warning is tolerated."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from coursebook.errors import BookError

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# Sphinx counts its own warnings only, neither Python's nor Jupyter Book's complaints about _config.yml.
_WARNING = re.compile(r"(?:WARNING|ERROR|CRITICAL|Warning|Error):|Validation errors in config")
# MyST-NB counts 10 000 lines per cell: 30002 is the second line of the third cell.
_CELL_LINE = re.compile(r"\.ipynb:(\d+)(\d{4})\b")
_EXECUTED = re.compile(r"^(.+?): Executing notebook")

JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"  # the package has no __main__


@dataclass(frozen=True)
class Site:
    """Where the built book will stand; ``None`` keeps what ``_config.yml`` says.

    Args:
        repository_url: the repository that the launch, source and issue buttons point at.
        branch: its branch.
        url: address of the published book, for its sitemap and canonical links.
    """

    repository_url: str | None = None
    branch: str | None = None
    url: str | None = None

    def applied_to(self, config: dict[str, Any]) -> dict[str, Any]:
        """A copy of a Jupyter Book configuration with these addresses in it.

        Example:
            >>> Site(branch="trunk").applied_to({"title": "A book", "repository": {"url": "u"}})
            {'title': 'A book', 'repository': {'url': 'u', 'branch': 'trunk'}}
        """
        repository = {"url": self.repository_url, "branch": self.branch}
        changes = {"repository": repository, "html": {"baseurl": self.url}}
        result = dict(config)
        for section, values in changes.items():
            given = {key: value for key, value in values.items() if value}
            if given:
                result[section] = {**config.get(section, {}), **given}
        return result


def build(root: Path, site: Site, listener: Callable[[str], None]) -> Path:
    """Build the book into ``_build/html``, replacing the former one only when the new one is complete.

    Every page is read afresh: Sphinx repeats no warning for a page that it finds in its cache, so that an
    incremental build would pass on the second try, and pages of removed chapters would survive.

    Args:
        root: the repository's root folder with ``_config.yml`` and ``_toc.yml``.
        site: addresses that differ from those in ``_config.yml``.
        listener: receives each line that Jupyter Book prints.

    Returns:
        The book's first page.

    Raises:
        BookError: the build gave a warning, executed a notebook or failed; names the log.
    """
    with built(root, site, listener) as folder:
        return _replace(folder, root / "_build" / "html") / "index.html"


@contextmanager
def built(root: Path, site: Site, listener: Callable[[str], None], builder: str = "html") -> Iterator[Path]:
    """Give the folder into which one of Sphinx's builders has written; at the end it is gone.

    Args:
        root: the repository's root folder with ``_config.yml`` and ``_toc.yml``.
        site: addresses that differ from those in ``_config.yml``.
        listener: receives each line that Jupyter Book prints.
        builder: ``html``, ``singlehtml`` or ``epub``.

    Raises:
        BookError: the build gave a warning, executed a notebook or failed; names the log.
    """
    folder = root / "_build"
    folder.mkdir(exist_ok=True)
    # A folder of its own: two builds at the same time, in two terminals, do not get in each other's way.
    with TemporaryDirectory(prefix="staging-", dir=folder, ignore_cleanup_errors=True) as name:
        staging = Path(name)
        log = folder / ("book.log" if builder == "html" else f"{builder}.log")
        command = [sys.executable, "-c", JUPYTER_BOOK, "build", str(root), f"--path-output={staging}"]
        command += [f"--config={_derive_config(root, site, staging)}", "--all", "-W", "--keep-going", "-n"]
        # Jupyter Book has names of its own for some of Sphinx's builders.
        own = builder in {"html", "singlehtml"}
        command += [f"--builder={builder}"] if own else ["--builder=custom", f"--custom-builder={builder}"]
        _check(*_run(command, log, _environment(staging), listener), log)
        yield staging / "_build" / builder


def _check(status: int, warnings: list[str], executed: list[str], log: Path) -> None:
    advice = f"the full log is {log}; what was built before, if anything, is unchanged"
    if executed:
        raise BookError(
            f"the build executed {', '.join(executed)} instead of showing the stored outputs: "
            f"set execute_notebooks: off in _config.yml and in the page's header; {advice}"
        )
    if warnings or status != 0:
        verdict = f"jupyter-book ended with status {status} and {len(warnings)} lines of warnings or errors"
        raise BookError("\n".join([f"{verdict}; {advice}", *warnings]))


def _derive_config(root: Path, site: Site, staging: Path) -> Path:
    """Write the configuration with the site's addresses; without any, use the file as it is."""
    path = root / "_config.yml"
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise BookError(f"the book's configuration {path} cannot be read: {error}") from error
    derived = site.applied_to(config)
    if derived == config:
        return path
    target = staging / "_config.yml"
    target.write_text(yaml.safe_dump(derived, sort_keys=False), encoding="utf-8")
    return target


def _environment(staging: Path) -> dict[str, str]:
    """An environment in which no notebook can be executed, whatever a page's header asks for."""
    kernel = staging / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    refusal = "raise SystemExit('the book is built from stored outputs: nothing may be executed')"
    spec = {"argv": [sys.executable, "-c", refusal], "display_name": "none", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    # JUPYTER_PATH is searched before every other place, so this kernel hides the real one.
    return {
        **os.environ,
        # Some claims are proved while the book is built. Their networks are too small to be worth sharing
        # among threads, which wait for one another where other programs run.
        "OMP_NUM_THREADS": "1",
        "JUPYTER_PATH": str(staging / "jupyter"),
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
    }


def _run(
    command: list[str], log: Path, environment: dict[str, str], listener: Callable[[str], None]
) -> tuple[int, list[str], list[str]]:
    """Run a command; return its exit status, the warnings it printed and the notebooks it executed."""
    warnings, executed = [], []
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(  # noqa: S603  (own command)
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
            encoding="utf-8",
        ) as process,
    ):
        for line in _lines(process):
            file.write(line + "\n")
            listener(line)
            if _WARNING.search(line):
                warnings.append(_CELL_LINE.sub(_in_source, line))
            executed += _EXECUTED.findall(line)
    return process.returncode, warnings, executed


def _in_source(place: re.Match[str]) -> str:
    """The place of a warning as the author knows it: in the source, by cell."""
    return f".md, cell {int(place[1])}, line {int(place[2])}"


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        plain = _ANSI.sub("", line).rstrip()
        if plain:
            yield plain


def _replace(new: Path, target: Path) -> Path:
    """Put a finished folder in the place of an older one."""
    old = new.parent / "replaced"
    if target.exists():
        target.rename(old)
    new.rename(target)
    return target
