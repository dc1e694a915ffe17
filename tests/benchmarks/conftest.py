"""The benchmarks are scripts beside one another; a test finds them as ``benchmarks/run.py`` does."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
