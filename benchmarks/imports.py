"""How long a fresh Python takes to import the lab, against PyTorch alone."""

import subprocess
import sys
from collections.abc import Callable

from record import Record
from timing import Bench


def measure(bench: Bench, record: Record) -> None:
    """Time whole interpreters, started in turn."""
    lines = {
        "peer": "import torch",
        "limit": "pass",
        # The lab brings PyTorch along with its first layer, and not before.
        "import_ratio_vs_torch": "import dropoutlab",
        "import_layer_ratio_vs_torch": "from dropoutlab import Dropout",
    }
    found = bench.medians("import", {name: python(line) for name, line in lines.items()}, repeats=9)
    for key in ("import_ratio_vs_torch", "import_layer_ratio_vs_torch"):
        record.add(
            key,
            found[key] / found["peer"],
            ours=found[key],
            peer=found["peer"],
            peer_is="`import torch`",
            limit=found["limit"],
            limit_is="Python alone",
            ours_imports_numpy=imports_numpy(lines[key]),
            peer_imports_numpy=imports_numpy(lines["peer"]),
        )


def python(code: str) -> Callable[[], object]:
    """Make a function that runs code in a Python of its own."""
    command = [sys.executable, "-c", code]
    return lambda: subprocess.run(command, check=True, capture_output=True)  # noqa: S603  (own code)


def imports_numpy(line: str) -> bool:
    """Tell whether a line imports NumPy too, so that the comparison is known to be fair."""
    code = f"{line}\nimport sys\nprint('numpy' in sys.modules)"
    done = subprocess.run(  # noqa: S603  (own code)
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return done.stdout.strip() == "True"
