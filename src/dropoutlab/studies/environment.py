"""What a run depends on besides its protocol: versions, platform, device, threads, data and revision."""

import platform
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from dropoutlab.data.digits import SHA256 as DIGITS_SHA256
from dropoutlab.data.registry import describe
from dropoutlab.studies.errors import StudyError

Environment = Mapping[str, str | int]

_PACKAGES = ("dropout-measured", "torch", "numpy", "scipy", "scikit-learn")


def environment(device: str) -> dict[str, str | int]:
    """Describe everything here that can change the last bit of a result, with the threads now in force.

    Args:
        device: ``"cpu"`` or ``"cuda"``.

    Returns:
        Versions, platform, instruction set of the processor, device and number of threads.
    """
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "device": torch.cuda.get_device_name() if device == "cuda" else device,
        "threads": torch.get_num_threads(),
    }


def differing(one: Environment, other: Environment) -> list[str]:
    """Say where two environments differ.

    Example:
        >>> differing({"torch": "2.13.0", "threads": 1}, {"torch": "2.12.1", "threads": 1})
        ['torch 2.13.0 / 2.12.1']
    """
    names = dict.fromkeys([*one, *other])
    return [
        f"{name} {one.get(name, '?')} / {other.get(name, '?')}"
        for name in names
        if one.get(name) != other.get(name)
    ]


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Let torch use this many threads for a while; ``None`` leaves it what it chose."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count is not None:
            torch.set_num_threads(before)


def check_device(device: str) -> None:
    """Make sure that a device can be used.

    Raises:
        StudyError: it is neither ``"cpu"`` nor ``"cuda"``, or there is no GPU that torch can use.
    """
    if device not in ("cpu", "cuda"):
        raise StudyError(f'device must be "cpu" or "cuda", got {device!r}')
    if device == "cuda" and not torch.cuda.is_available():
        raise StudyError("this installation of torch finds no GPU; use --device cpu")


def data_digests(datasets: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the sha256 of every file of the datasets; loading one checks them.

    Example:
        >>> sorted(data_digests(["digits", "shakespeare"])["shakespeare"])
        ['input.txt']
    """
    return {
        name: {file.name: file.sha256 for file in describe(name).files}
        or {"images and labels": DIGITS_SHA256}
        for name in datasets
    }


@dataclass(frozen=True)
class Revision:
    """The state of some source files in git.

    Attributes:
        commit: the commit that is checked out; ``None`` outside a git checkout.
        changed: files that differ from it, or are not in it.
    """

    commit: str | None
    changed: tuple[str, ...] = ()


def revision(files: Iterable[Path]) -> Revision:
    """Ask git for the commit of some files of one checkout, and which of them differ from it."""
    paths = [file.resolve() for file in files]
    inside = _git(paths[0].parent, "rev-parse", "--is-inside-work-tree")
    if inside is None:
        return Revision(None)
    commit = _git(paths[0].parent, "rev-parse", "--verify", "--quiet", "HEAD")
    state = _git(paths[0].parent, "status", "--porcelain", "--ignored", "-z", "--", *map(str, paths))
    changed = tuple(entry[3:] for entry in (state or "").split("\0") if entry)
    return Revision(commit.strip() if commit else None, changed)


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:  # no git on this machine
        return None
    return done.stdout if done.returncode == 0 else None
