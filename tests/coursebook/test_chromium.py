"""Which browser is started: any headless shell before any whole browser, the system's before Playwright's."""

from types import SimpleNamespace

import pytest

from coursebook import chromium


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Install browsers on a machine that has none; say which one is found, in words."""
    downloads, system = tmp_path / "downloads", tmp_path / "system"
    places = {
        "Playwright's shell": downloads / "chromium_headless_shell-7/chrome-headless-shell-linux64"
        "/chrome-headless-shell",
        "Playwright's shell of another release": downloads / "chromium_headless_shell-6/any"
        "/chrome-headless-shell",
        "Playwright's Chromium": downloads / "chromium-7/chrome-linux64/chrome",
        "the system's shell": system / "chromium-headless-shell",
        "the system's Chromium": system / "chromium",
    }
    playwright = SimpleNamespace(
        chromium=SimpleNamespace(executable_path=str(places["Playwright's Chromium"]))
    )
    monkeypatch.setattr(
        chromium.shutil,
        "which",
        lambda name, **_: str(system / name) if (system / name).is_file() else None,
    )

    def found_with(*installed):
        for name in installed:
            places[name].parent.mkdir(parents=True, exist_ok=True)
            places[name].touch()
        found = chromium.find_chromium(playwright)
        return next((name for name, place in places.items() if str(place) == found), found)

    return found_with


def test_the_lightest_browser_that_is_there_is_taken(machine):
    assert machine() is None
    assert machine("Playwright's shell of another release") is None
    assert machine("Playwright's Chromium") == "Playwright's Chromium"
    assert machine("the system's Chromium") == "the system's Chromium"
    assert machine("Playwright's shell") == "Playwright's shell"
    assert machine("the system's shell") == "the system's shell"
