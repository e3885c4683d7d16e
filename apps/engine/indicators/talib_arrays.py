"""TA-Lib for arrays alone. Its package imports pandas, where that is installed, to wrap its functions for it:
a second and 50 MiB of every process, for a wrapping that we take off again.
"""

from __future__ import annotations

import sys

_WITHOUT = "pandas"

if _WITHOUT in sys.modules:
    import talib
else:
    sys.modules[_WITHOUT] = None  # type: ignore[assignment]  # Python's own way to say "this one is absent"
    try:
        import talib
    finally:
        del sys.modules[_WITHOUT]

__all__ = ["talib"]
