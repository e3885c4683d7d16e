"""What blocks us most: how often each condition held, and how often it alone was missing."""

from apps.insight.condition_report.build import condition_report
from apps.insight.condition_report.report import ConditionCount, Report, TimeframeCount

__all__ = ["ConditionCount", "Report", "TimeframeCount", "condition_report"]
