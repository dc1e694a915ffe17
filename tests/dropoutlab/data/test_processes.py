"""Downloads by several processes at once, and by one that is killed half-way."""

import os
import pickle
import signal
import subprocess
import sys
import threading

import pytest

from dropoutlab.data import fetch

LOADER = """
import pickle, sys
from dropoutlab.data.lookup import fetch
from dropoutlab.data.registry import REGISTRY
dataset = pickle.load(sys.stdin.buffer)
REGISTRY[dataset.name] = dataset
sys.stdout.write(str(sum(len(copy.contents) for copy in fetch(dataset.name, sys.argv[1]))))
"""


@pytest.fixture
def start(tiny):
    running = []

    def start_loader(cache):
        process = subprocess.Popen(
            [sys.executable, "-c", LOADER, str(cache)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        running.append(process)
        process.stdin.write(pickle.dumps(tiny.dataset))
        process.stdin.close()
        process.stdin = None  # so that communicate() does not close it again
        return process

    yield start_loader
    for process in running:
        process.kill()
        process.communicate()


def test_processes_that_load_at_once_all_succeed(tiny, server, start, tmp_path):
    workers = 3
    tiny.serve(server)
    first = f"/good/{tiny.first.name}"
    together = threading.Barrier(workers)
    answer = server.answers[first]

    def answer_when_all_have_asked(request):
        together.wait(timeout=120)
        answer(request)

    server.answers[first] = answer_when_all_have_asked
    processes = [start(tmp_path) for _ in range(workers)]
    results = [process.communicate(timeout=120) for process in processes]
    total = str(sum(map(len, tiny.contents.values()))).encode()
    assert results == [(total, b"")] * workers
    assert server.paths.count(first) == workers
    assert sorted(path.name for path in (tmp_path / "tiny").iterdir()) == sorted(tiny.contents)


def test_a_process_killed_half_way_leaves_no_cached_file(tiny, server, start, tmp_path):
    name, body = tiny.first.name, tiny.contents[tiny.first.name]
    half_sent, killed = threading.Event(), threading.Event()

    def stall(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: len(body) // 2])
        request.wfile.flush()
        half_sent.set()
        killed.wait(timeout=120)

    server.answers[f"/good/{name}"] = stall
    process = start(tmp_path)
    assert half_sent.wait(timeout=120)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=120)
    killed.set()

    remains = list((tmp_path / "tiny").iterdir())
    assert [path.suffix for path in remains] == [".part"]
    tiny.serve(server)
    assert fetch("tiny", tmp_path)[0].contents == body
