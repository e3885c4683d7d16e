"""What was decided live against what a replay of the stored candles decides now, minute by minute."""

from apps.mtf.explain.divergence.compare import diverging
from apps.mtf.explain.divergence.report import Difference, Divergence, Kind

__all__ = ["Difference", "Divergence", "Kind", "diverging"]
