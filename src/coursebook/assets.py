"""Where the files lie that are not Python; ``static/README.md`` says what they are."""

from pathlib import Path

_STATIC = Path(__file__).parent / "static"
SITE = _STATIC / "site"
NODE = _STATIC / "node"
PAPER = _STATIC / "paper"  # what only the PDF and the e-book need
TEMPLATES = _STATIC / "templates"
# What the playground lets one set: read by its script and by the directive that writes its fields.
PLAYGROUND = Path(__file__).parent / "web" / "playground" / "settings.json"
