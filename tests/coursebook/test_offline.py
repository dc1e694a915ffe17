"""Buttons lead somewhere, and what no page loads is not shipped."""

from types import SimpleNamespace

import pytest

from coursebook.offline import drop_dead_buttons, remove_unused

LAUNCH = {"binderhub_url": "https://mybinder.org", "colab_url": "https://colab.research.google.com"}


def options(url):
    """What is left of the buttons with this address of the repository."""
    values = {
        "repository_url": url,
        "launch_buttons": dict(LAUNCH),
        "use_issues_button": True,
        "use_repository_button": True,
        "use_download_button": True,
    }
    config = SimpleNamespace(html_theme_options=values)
    drop_dead_buttons(None, config)
    return config.html_theme_options


def test_with_a_repository_on_github_every_button_stays():
    kept = options("https://github.com/fork/book")
    assert kept["launch_buttons"] == LAUNCH
    assert kept["use_issues_button"]
    assert kept["use_repository_button"]


def test_colab_opens_notebooks_from_github_alone():
    kept = options("https://gitlab.com/fork/book")
    assert kept["launch_buttons"] == LAUNCH | {"colab_url": ""}
    assert kept["use_issues_button"]


def test_without_an_address_only_the_download_stays():
    kept = options("")
    assert kept["launch_buttons"] == {}
    assert not kept["use_issues_button"]
    assert not kept["use_repository_button"]
    assert kept["use_download_button"]


@pytest.mark.parametrize("exception", [None, RuntimeError("the build failed")])
def test_unused_files_go_when_the_build_is_done(tmp_path, exception):
    scripts = tmp_path / "_static" / "scripts"
    scripts.mkdir(parents=True)
    unused = {"fontawesome.js", "bootstrap.js.map"}
    for name in unused | {"bootstrap.js"}:
        (scripts / name).touch()
    remove_unused(SimpleNamespace(outdir=tmp_path), exception)
    expected = {"bootstrap.js"} | (unused if exception else set())
    assert {path.name for path in scripts.iterdir()} == expected
