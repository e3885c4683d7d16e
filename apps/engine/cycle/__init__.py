"""The cycle, `evaluate → enter → follow`: the only code that decides and trades through ports.

The same for live, paper and backtest. `evaluate` judges every symbol by every profile at one minute;
`replay` judges one symbol at every minute of its past. `precheck` says what a verdict may enter by our own
books; `enter` takes that to a plan, a claim and an order; `fall_back` sends the rest of one whose time is
almost over. `observe` reads one symbol at the exchange, `follow` decides what that means, and `perform` does
what must be done about it.
"""

from apps.engine.cycle.call import perform
from apps.engine.cycle.entry import EntryResult, LastCheck, SendResult, enter, refused_event, send
from apps.engine.cycle.fallback import fall_back
from apps.engine.cycle.view import AccountView, observe, read_account
from apps.engine.enter.plan import precheck
from apps.engine.evaluate.judgement import evaluate, replay
from apps.engine.follow.symbol import follow

__all__ = [
    "AccountView",
    "EntryResult",
    "LastCheck",
    "SendResult",
    "enter",
    "evaluate",
    "fall_back",
    "follow",
    "observe",
    "perform",
    "precheck",
    "read_account",
    "refused_event",
    "replay",
    "send",
]
