"""A tiny dataset, a web server on this machine that misbehaves on demand, and no way out to the internet."""

import errno
import gzip
import hashlib
import os
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pooch
import pytest

from dropoutlab.data.registry import REGISTRY, DataFile, Dataset


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path):
    """No data folder from outside, no user cache, and names that do not resolve, as without a network."""
    monkeypatch.delenv("DROPOUTLAB_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "user-cache" / project)
    resolve = socket.getaddrinfo

    def resolve_only_here(host, *args, **kwargs):
        if host not in ("127.0.0.1", "localhost"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_only_here)


def idx_bytes(array: np.ndarray, *, magic: bytes | None = None) -> bytes:
    magic = magic if magic is not None else bytes([0, 0, 8, array.ndim])
    return magic + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture(name="idx_bytes", scope="session")
def _idx_bytes():
    return idx_bytes


Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """Answers each path as told, and remembers what it was asked for."""

    address: str
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def serve(self, path: str, body: bytes, *, announced: int | None = None, code: int = 200) -> None:
        """Send ``body``, and promise ``announced`` bytes before; a negative number promises nothing."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(code)
            length = len(body) if announced is None else announced
            if length >= 0:
                request.send_header("Content-Length", str(length))
            request.end_headers()
            request.wfile.write(body)

        self.answers[path] = answer

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            state.requests.append((self.path, dict(self.headers)))
            answer = state.answers.get(self.path)
            if answer is None:
                self.send_error(404)
            else:
                answer(self)

        def log_message(self, *args):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Server(f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


@dataclass
class Tiny:
    """A dataset small enough to make, registered under ``name``."""

    dataset: Dataset
    contents: dict[str, bytes]

    @property
    def name(self) -> str:
        return self.dataset.name

    @property
    def first(self) -> DataFile:
        return self.dataset.files[0]

    def put(self, root: Path, *, omit: str | None = None) -> Path:
        folder = root / self.name
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in self.contents.items():
            if name != omit:
                (folder / name).write_bytes(body)
        return folder

    def serve(self, server: Server, mirror: str = "good") -> None:
        for name, body in self.contents.items():
            server.serve(f"/{mirror}/{name}", body)

    def mirrored(self, *mirrors: str) -> Dataset:
        """Register the same files with other mirrors."""
        self.dataset = replace(
            self.dataset, files=tuple(replace(file, mirrors=mirrors) for file in self.dataset.files)
        )
        REGISTRY[self.name] = self.dataset
        return self.dataset


def _register(monkeypatch, name, kind, contents, shapes, mirror) -> Tiny:
    files = tuple(
        DataFile(file, hashlib.sha256(body).hexdigest(), len(body), (mirror,), shape)
        for (file, body), shape in zip(contents.items(), shapes, strict=True)
    )
    dataset = Dataset(name=name, kind=kind, licence="CC0", source="made by the tests", files=files)
    monkeypatch.setitem(REGISTRY, name, dataset)
    return Tiny(dataset, contents)


@pytest.fixture
def tiny(monkeypatch, server) -> Tiny:
    """Seven training and four test images of 2 × 3 pixels; served from the mirror ``/good/``."""
    rng = np.random.default_rng(5)
    arrays = {
        "train-images.gz": rng.integers(0, 256, (7, 2, 3)),
        "train-labels.gz": rng.integers(0, 10, 7),
        "test-images.gz": rng.integers(0, 256, (4, 2, 3)),
        "test-labels.gz": rng.integers(0, 10, 4),
    }
    contents = {name: gzip.compress(idx_bytes(array), mtime=0) for name, array in arrays.items()}
    shapes = [array.shape for array in arrays.values()]
    return _register(monkeypatch, "tiny", "images", contents, shapes, f"{server.address}/good/")


@pytest.fixture
def poem(monkeypatch, server) -> Tiny:
    """A text of 30 characters, two of them outside ASCII; served from the mirror ``/good/``."""
    body = "Ünder the greenwood tree – who".encode()
    return _register(monkeypatch, "poem", "text", {"input.txt": body}, [()], f"{server.address}/good/")


@pytest.fixture
def refuse_opening(monkeypatch):
    """Make one path refuse to be opened, as permissions would for anyone but the superuser."""

    def refuse(path: Path, error: type[OSError] = PermissionError, code: int = errno.EACCES) -> None:
        opening = Path.open

        def open_unless_refused(self, *args, **kwargs):
            if self == path:
                raise error(code, os.strerror(code), str(self))
            return opening(self, *args, **kwargs)

        monkeypatch.setattr(Path, "open", open_unless_refused)

    return refuse
