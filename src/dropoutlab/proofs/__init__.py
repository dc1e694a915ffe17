"""Claims that need no statistics: each function settles one by exact arithmetic or by a counterexample."""

from dropoutlab.proofs.result import Proof
from dropoutlab.proofs.table import PROOFS, prove

__all__ = ["PROOFS", "Proof", "prove"]
