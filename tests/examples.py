"""How many examples a property is tried with: all in `./run test --all`, a quarter in the plain suite.

For properties whose examples are lives or plans of some milliseconds to seconds each; the others keep theirs.
"""

from __future__ import annotations

import os

PART = 4
FEWEST = 3


def examples(most: int) -> int:
    if os.environ.get("EVERY_EXAMPLE"):
        return most
    return max(most // PART, min(most, FEWEST))
