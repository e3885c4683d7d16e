"""The only code that decides and trades through ports, the same for live and past."""

from apps.engine.cycle.entering import Entered, LastLook, enter
from apps.engine.cycle.following import follow, perform
from apps.engine.cycle.judging import evaluate, replay

__all__ = ["Entered", "LastLook", "enter", "evaluate", "follow", "perform", "replay"]
