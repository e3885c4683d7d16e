"""The moment, for who must ask for it more than once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Asked for the moment, aware UTC: the engine has no clock of its own."""
