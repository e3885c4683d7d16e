"""What was decided live against what a replay of the stored candles decides now, minute by minute."""

from apps.insight.divergence.compare import diverging
from apps.insight.divergence.report import Difference, Divergence, Kind

__all__ = ["Difference", "Divergence", "Kind", "diverging"]
