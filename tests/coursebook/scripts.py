"""The book's scripts, run by Node without a page."""

import json
import os
import subprocess
from pathlib import Path

from coursebook.assets import SITE
from coursebook.katex import find_node

WEB = Path(__file__).parents[2] / "src" / "coursebook" / "web"

# Each bundle with the global name under which it offers its parts.
BUNDLES = {
    "cards": "DropoutMeasuredCards",
    "playground": "DropoutMeasuredPlayground",
    "previews": "DropoutMeasuredPreviews",
    "search": "DropoutMeasuredSearch",
}


def bundle(name: str) -> Path:
    return SITE / f"{name}.js"


def in_node(name, code, data, zone="UTC"):
    """Run JavaScript after a bundle: it finds ``data``, and as ``c`` what the bundle exports."""
    program = f"{bundle(name).read_text(encoding='utf-8')}\nconst data = {json.dumps(data)};\n"
    program += f"process.stdout.write(JSON.stringify((() => {{ const c = {BUNDLES[name]}; {code} }})()));"
    command = [str(find_node()), "-"]
    environment = {**os.environ, "TZ": zone}
    run = subprocess.run(
        command, input=program, capture_output=True, text=True, encoding="utf-8", check=True, env=environment
    )
    return json.loads(run.stdout)
