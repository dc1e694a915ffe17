"""Whatever a solution does, there is an explanation: no traceback of the grader's, and never a pass."""

import contextlib
import inspect
import os
import random
import signal
import stat
import sys
import threading
import time
from itertools import pairwise

import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from dropoutlab.grading import check, exercises, sandbox
from dropoutlab.grading.engine import examine
from dropoutlab.grading.report import quoted

NAME = "inverted_dropout"
LIMIT = 0.5


@pytest.fixture(params=["child", "thread"])
def way(request, monkeypatch):
    """Both ways in which a job is run; the second is for systems where forking is not safe."""
    monkeypatch.setattr(sandbox, "fork_is_safe", lambda: request.param == "child")
    return request.param


def hangs(x, p, training, rng):
    while True:
        pass


def recurses(x, p, training, rng):
    return recurses(x, p, training, rng)


def swallows_everything(x, p, training, rng):
    while True:
        try:
            time.sleep(0.01)
        except BaseException:  # the time limit is one
            continue


def divides(x, p, training, rng):
    return x / (1 / int(not training))


def exits(x, p, training, rng):
    sys.exit(0)


def interrupts(x, p, training, rng):
    raise KeyboardInterrupt


def asks(x, p, training, rng):
    return input("p? ")


class Liar:
    """Looks like nothing on earth."""

    def __repr__(self):
        raise RuntimeError("no")

    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = None


class Fails(np.ndarray):
    """An array whose arithmetic fails."""

    def __array_ufunc__(self, *args, **kwargs):
        raise RuntimeError("no arithmetic today")


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError("no")


def lies(x, p, training, rng):
    return Liar()


def fails_later(x, p, training, rng):
    return x.view(Fails)


def raises_the_unspeakable(x, p, training, rng):
    raise UnspeakableError


@pytest.mark.parametrize(
    ("solution", "code", "words"),
    [
        (hangs, "timed-out", "time limit, in line"),
        (recurses, "raised", "RecursionError"),
        (divides, "raised", "`return x / (1 / int(not training))`"),
        (exits, "ended-the-process", "tried to end Python, in line"),
        (interrupts, "raised", "KeyboardInterrupt"),
        (lies, "wrong-type", "of type Liar"),
        (fails_later, "unexaminable", "no arithmetic today"),
        (raises_the_unspeakable, "raised", "UnspeakableError, in line"),
        (lambda: 1, "wrong-signature", "too many positional arguments"),
        (np.abs, "wrong-signature", "too many positional arguments"),
        (lambda *_: (value for value in ()), "wrong-type", "of type generator"),
        (lambda *_: np.full(3, "a"), "wrong-shape", "(3,)"),
        (lambda x, *_: np.full(x.shape, "a"), "wrong-dtype", "<U1"),
        (lambda x, *_: x.astype(object), "wrong-dtype", "object"),
        (lambda x, *_: np.ma.array(x), "wrong-type", "of type MaskedArray"),
        (lambda x, *_: x * np.inf, "returns-nan", "not finite"),
    ],
)
def test_every_failure_is_explained(way, solution, code, words):
    report = check(NAME, solution, limit=LIMIT if solution is hangs else 10)
    assert not report
    assert [finding.code for finding in report.findings] == [code]
    assert words in report.findings[0].message
    assert 'File "' not in repr(report)
    assert "grading/" not in repr(report)


def test_what_swallows_the_time_limit_is_stopped_from_outside(monkeypatch):
    before = time.monotonic()
    report = check(NAME, swallows_everything, limit=LIMIT)
    assert [finding.code for finding in report.findings] == ["timed-out"]
    # The limit, the grace, and what a busy machine may take to schedule two processes.
    assert time.monotonic() - before < LIMIT + sandbox.GRACE + 10


def test_a_thread_that_cannot_be_stopped_is_left_behind(monkeypatch):
    monkeypatch.setattr(sandbox, "fork_is_safe", lambda: False)
    monkeypatch.setattr(sandbox, "GRACE", 0.2)
    over = threading.Event()

    def waits(x, p, training, rng):
        while not over.is_set():
            try:
                over.wait(0.01)
            except BaseException:
                continue
        return x

    report = check(NAME, waits, limit=0.2)
    over.set()
    assert [finding.code for finding in report.findings] == ["timed-out"]


@pytest.mark.parametrize(
    "leave", [lambda: os._exit(0), lambda: os.kill(os.getpid(), signal.SIGSEGV), os.abort]
)
def test_a_child_that_dies_is_no_pass(leave):
    report = check(NAME, lambda *_: leave())
    assert [finding.code for finding in report.findings] == ["ended-the-process"]


def test_a_forged_answer_is_no_pass():
    def forges(x, p, training, rng):
        for descriptor in reversed(range(3, 64)):  # the latest pipe is the grader's
            with contextlib.suppress(OSError):
                if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                    os.write(descriptor, b"\0" * 7 + b"\x02[]")
                    break
        os._exit(0)

    assert not check(NAME, forges)


def test_a_fork_within_the_fork_answers_once():
    forked = []

    def forks(x, p, training, rng):
        if not forked:
            forked.append(True)
            os.fork()
        return x

    assert [finding.code for finding in check(NAME, forks).findings] == ["inactive-in-training"]


def test_nobody_answers_questions():
    report = check(NAME, asks)
    assert report.findings[0].code == "raised"
    assert "nobody to answer" in report.findings[0].message


def test_what_is_printed_is_kept_in_small(way, capfd):
    def chatters(x, p, training, rng):
        print("one <b>`mask`</b>")  # noqa: T201
        for _ in range(2000):
            print("and more " * 10, file=sys.stderr)  # noqa: T201
        return x

    report = check(NAME, chatters)
    assert report.findings[0].code == "inactive-in-training"
    assert report.printed.startswith("one <b>")
    assert len(report.printed) < 1000
    assert "    one <b>`mask`</b>" in report._repr_markdown_()
    assert "Your code printed:" in repr(report)
    assert capfd.readouterr() == ("", "")


def test_memory_has_a_limit():
    def hoards(x, p, training, rng):
        return [np.zeros(2**27) for _ in range(64)]  # a gigabyte each, asked for and never touched

    report = check(NAME, hoards)
    assert report.findings[0].code == "raised"
    assert "MemoryError" in report.findings[0].message


def test_nothing_global_is_changed(way):
    def vandal(x, p, training, rng):
        np.random.seed(1)  # noqa: NPY002
        torch.manual_seed(1)
        random.seed(1)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        x[...] = 0
        return x

    before = (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist(), random.getstate())  # noqa: NPY002
    report = check(NAME, vandal)
    after = (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist(), random.getstate())  # noqa: NPY002
    assert before == after
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert {finding.code for finding in report.findings} >= {"mutates-input", "changes-globals"}


def test_warnings_are_no_failures(way):
    def warns(x, p, training, rng):
        np.log(np.zeros(1))
        return x

    assert check(NAME, warns).findings[0].code == "inactive-in-training"


def test_functions_of_a_notebook_need_no_pickling(way):
    lock = threading.Lock()  # cannot be pickled

    def locked(x, p, training, rng):
        with lock:
            return x * (rng.random(x.shape) >= p) / (1 - p) if training else x

    assert check(NAME, locked)


def test_a_child_computes_after_its_parent_used_threads_and_gradients():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        # Large enough for every kind of parallel loop: these start the pools of OpenMP, MKL and OpenBLAS.
        x = torch.randn(800, 800, requires_grad=True)
        (x @ x).relu().sum().backward()
        _ = np.ones((800, 800)) @ np.ones((800, 800))

        def heavy(sizes, p):
            y = torch.randn(800, 800, requires_grad=True)
            (y @ y).relu().sum().backward()
            _ = np.linalg.svd(np.ones((200, 200)))
            layers = [torch.nn.Linear(sizes[0], sizes[1]), torch.nn.ReLU(), torch.nn.Dropout(p)]
            for a, b in pairwise(sizes[1:]):
                layers += [torch.nn.Linear(a, b), torch.nn.ReLU(), torch.nn.Dropout(p)]
            return torch.nn.Sequential(*layers[:-2])

        report = check("dropout_mlp", heavy, limit=60)
        assert report, report
    finally:
        torch.set_num_threads(threads)


CELLS = (
    """
import torch
from dropoutlab.grading import check
torch.set_num_threads(2)
w = torch.randn(700, 700, requires_grad=True)
(w @ w).relu().sum().backward()""",
    """
def inverted_dropout_torch(x, p, training, generator):
    keep = torch.rand(x.shape, generator=generator) >= p
    return x * keep / (1 - p) if training else x
check("inverted_dropout_torch", inverted_dropout_torch)""",
    """
def inverted_dropout_torch(x, p, training, generator):
    print("on my way")
    while True:
        x = (w @ w).relu()[:1] + x.mean()
check("inverted_dropout_torch", inverted_dropout_torch, limit=1)""",
    """
def inverted_dropout_torch(x, p, training, generator):
    return x / input("p? ")
check("inverted_dropout_torch", inverted_dropout_torch)""",
)


def test_it_works_in_a_notebook_whose_kernel_has_used_torch():
    notebook = new_notebook(cells=[new_code_cell(text.strip()) for text in CELLS])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    _, passed, hung, asked = ([output.data for output in cell.outputs] for cell in notebook.cells)
    assert passed[0]["text/plain"] == "inverted_dropout_torch: passed"
    assert "**inverted_dropout_torch: passed**" in passed[0]["text/markdown"]
    assert "[timed-out]" in hung[0]["text/plain"]
    # The line is that of the cell, which no file holds.
    assert "x = (w @ w).relu()[:1] + x.mean()" in hung[0]["text/plain"]
    assert "on my way" in hung[0]["text/plain"]
    assert "nobody to answer" in asked[0]["text/plain"]


@pytest.mark.parametrize("value", [None, 3, "text", [], {}, np.nan, np.array([]), Liar, object()])
def test_no_exercise_is_passed_by_a_constant(value):
    for known in exercises():
        assert examine(known, lambda *_, value=value: value), known.name


def test_no_exercise_is_passed_by_returning_an_argument():
    for known in exercises():
        for position in range(len(inspect.signature(known.solution).parameters)):
            assert examine(known, lambda *args, position=position: args[position:][0]), known.name


def test_forking_is_left_alone_where_it_is_not_safe(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    assert not sandbox.fork_is_safe()
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not sandbox.fork_is_safe()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delattr(os, "fork")
    assert not sandbox.fork_is_safe()


def test_quotations_stay_on_one_line_and_are_short():
    assert quoted("a\n  b`c") == "`a b'c`"
    assert len(quoted("x" * 1000)) == 162
