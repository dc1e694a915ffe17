"""Where the files lie that are not Python; ``static/README.md`` says what they are."""

from pathlib import Path

_STATIC = Path(__file__).parent / "static"
SITE = _STATIC / "site"
NODE = _STATIC / "node"
TEMPLATES = _STATIC / "templates"
