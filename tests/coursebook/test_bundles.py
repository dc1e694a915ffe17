"""Each script of the book is what its sources give, is small, and comes from pinned packages."""

import gzip
import hashlib
import json
import re
import subprocess

import pytest

from coursebook.assets import SITE
from coursebook.katex import find_node
from tests.coursebook.scripts import BUNDLES, WEB, bundle

SUFFIXES = {".ts", ".mjs", ".json"}


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_records_the_digest_of_its_sources(name):
    folders = [WEB, WEB / name]
    paths = [path for folder in folders for path in folder.iterdir() if path.suffix in SUFFIXES]
    assert len(paths) > 6
    digest = hashlib.sha256()
    for relative, path in sorted((path.relative_to(WEB).as_posix(), path) for path in paths):
        digest.update(relative.encode() + b"\0" + path.read_bytes() + b"\0")
    recorded = re.search(r"Sources: ([0-9a-f]{64})", bundle(name).read_text(encoding="utf-8"))
    assert recorded
    assert recorded[1] == digest.hexdigest(), "the bundle is stale: see src/coursebook/web/README.md"


def test_the_bundles_are_what_the_sources_give(tmp_path):
    if not (WEB / "node_modules" / "esbuild").is_dir():
        pytest.skip("npm packages are not installed: run `npm ci` in src/coursebook/web to compare")
    subprocess.run([str(find_node()), str(WEB / "build.mjs"), str(tmp_path)], check=True)
    assert {path.stem for path in tmp_path.iterdir()} == set(BUNDLES)
    for name in BUNDLES:
        assert (tmp_path / f"{name}.js").read_bytes() == bundle(name).read_bytes()


def test_the_types_of_the_sources_agree():
    compiler = WEB / "node_modules" / "typescript" / "bin" / "tsc"
    if not compiler.is_file():
        pytest.skip("npm packages are not installed: run `npm ci` in src/coursebook/web to check types")
    run = subprocess.run(
        [str(find_node()), str(compiler), "--noEmit", "-p", str(WEB)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    ("name", "limit"), [("cards", 25_000), ("playground", 40_000), ("previews", 2_500), ("search", 2_500)]
)
def test_a_script_adds_little_to_its_page(name, limit):
    assert len(gzip.compress(bundle(name).read_bytes(), compresslevel=9)) <= limit


def test_the_lock_file_pins_every_package_and_names_no_host():
    text = (WEB / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    assert not re.search(r"https?:|resolved", text)
    assert all("integrity" in package for name, package in packages.items() if name)
    wanted = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert packages[f"node_modules/{name}"]["version"] == version


def test_the_licence_of_what_is_bundled_comes_along():
    text = (SITE / "cards.LICENSE.txt").read_text(encoding="utf-8")
    version = json.loads((WEB / "package.json").read_text(encoding="utf-8"))["dependencies"]["ts-fsrs"]
    assert f"ts-fsrs {version}" in text
    assert "Permission is hereby granted" in text
    assert "fsrs" not in bundle("playground").read_text(encoding="utf-8").lower()  # it needs no such file
