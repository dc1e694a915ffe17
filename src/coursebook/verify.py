"""Recompute every stored output with nbval in strict mode and compare."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from coursebook.execute import CELL_TIMEOUT, KERNEL_ENVIRONMENT
from coursebook.pairs import Pair


def verify_command(notebooks: Sequence[Path], root: Path, jobs: int = 2) -> list[str]:
    """The command that verifies ``notebooks``; exit status 0 means that every output was reproduced.

    Args:
        notebooks: executed ``.ipynb`` files; strict nbval compares nothing in one without outputs.
        root: the repository's root folder.
        jobs: how many notebooks run at the same time.
    """
    command = [sys.executable, "-m", "pytest", "--nbval", f"--rootdir={root}"]
    # Run the notebooks in this environment, whatever kernels the user has installed besides.
    command += ["--nbval-current-env", f"--nbval-cell-timeout={CELL_TIMEOUT}"]
    # The cells of one notebook share a kernel, so a notebook must stay on one worker.
    command += ["-n", str(jobs if jobs > 1 else 0), "--dist", "loadfile"]
    # The project's pytest settings are made for its unit tests. Doctests have no place in notebooks
    # (addopts); warnings count where they are raised, in the kernel, whose stderr nbval compares
    # (filterwarnings); pytest-timeout would kill a worker where nbval interrupts a single cell (timeout).
    command += ["-o", "addopts=", "-o", "filterwarnings=", "-o", "timeout=0"]
    # A cache written here would reorder or deselect the unit tests of a later `pytest --last-failed`.
    command += ["-p", "no:cacheprovider", "-q"]
    return command + [str(path) for path in notebooks]


def verify(pairs: Sequence[Pair], root: Path, jobs: int = 2) -> int:
    """Run nbval on the stored notebooks of ``pairs`` and return its exit status."""
    environment = {**os.environ, **KERNEL_ENVIRONMENT}
    environment.pop("PYTEST_ADDOPTS", None)
    command = verify_command([pair.notebook for pair in pairs], root, jobs)
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode  # noqa: S603  (own command)
