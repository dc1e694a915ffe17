"""Make every page work from the reader's disk: nothing is fetched, and no button leads nowhere."""

from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

from coursebook.assets import SITE, TEMPLATES

STYLES = ("katex/katex.min.css", "house.css", "print.css")
SCRIPTS = ("house.js",)

# The theme copies these; no page asks for them. The icon script alone has 1.5 MB.
_UNUSED = ("scripts/fontawesome.js", "scripts/fontawesome.js.LICENSE.txt", "scripts/*.map", "styles/*.map")


def add_assets(_app: Sphinx, config: Config) -> None:
    """Put the house style, its script, its templates and KaTeX's fonts into the book."""
    config.html_static_path.append(str(SITE))
    config.templates_path.append(str(TEMPLATES))
    config.html_css_files.extend(STYLES)
    config.html_js_files.extend((name, {"defer": "defer"}) for name in SCRIPTS)


def drop_dead_buttons(_app: Sphinx, config: Config) -> None:
    """Keep the launch, source and issue buttons only where the repository's address is known.

    Colab opens notebooks from GitHub alone, so its button goes for any other host.
    """
    options = config.html_theme_options
    url = options.get("repository_url", "")
    if not url:
        options["launch_buttons"] = {}
        options |= {name: False for name in options if name.startswith("use_") and "download" not in name}
    elif "github.com/" not in url:
        options["launch_buttons"] = {**options.get("launch_buttons", {}), "colab_url": ""}


def remove_unused(app: Sphinx, exception: Exception | None) -> None:
    """Delete what the theme copied and no page loads."""
    if exception is None:
        for path in _unused(Path(app.outdir) / "_static"):
            path.unlink()


def _unused(static: Path) -> Iterator[Path]:
    for pattern in _UNUSED:
        yield from static.glob(pattern)


def setup(app: Sphinx) -> None:
    """Connect the steps to the events of a build."""
    app.connect("config-inited", add_assets)
    app.connect("config-inited", drop_dead_buttons)
    app.connect("build-finished", remove_unused)
