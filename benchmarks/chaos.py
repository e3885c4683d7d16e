"""chaos: what trades is killed, paused and lied to by a seed, and judged from the exchange's own books."""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.campaign.campaign import Campaign, run_campaign
from benchmarks.campaign.history import OPENING_SIDES, holdings, is_own_id
from benchmarks.campaign.judge import judge
from benchmarks.campaign.unprotected import naked_stretches


def run(args: list[str]) -> dict[str, Any]:
    """Attack for some minutes, settle, judge. `violations_found` says every violation in a sentence."""
    parser = argparse.ArgumentParser(prog="bench chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides everything that is done, and when")
    parser.add_argument("--minutes", type=float, default=2.0, help="of attack; settling takes some more")
    parser.add_argument("--keep", type=Path, help="a folder for logs, what was done, and both books")
    options = parser.parse_args(args)
    var = Path(os.environ["TRADINGV3_VAR"]) / "chaos"
    var.mkdir(mode=0o711)
    campaign = run_campaign(var, seed=options.seed, seconds=60 * options.minutes, keep=options.keep)
    violations = judge(campaign.history, campaign.ours)
    excused: dict[str, float] = defaultdict(float)
    for stretch in naked_stretches(campaign.history):
        for why, seconds in stretch.excused_s.items():
            excused[why] += seconds
    return {
        "name": "chaos",
        "params": {"seed": options.seed, "minutes": options.minutes},
        "metrics": {
            "minutes": options.minutes,
            **metrics(campaign),
            "violations": len(violations),
        },
        "stages": {
            **{f"naked_but_excused_{why}_s": round(seconds, 1) for why, seconds in sorted(excused.items())},
            **{f"entries {outcome}": n for outcome, n in sorted(campaign.outcomes.items())},
        },
        "violations_found": [f"rule {each.rule}: {each.sentence}" for each in violations],
    }


def metrics(campaign: Campaign) -> dict[str, float]:
    """Return what was done, what was traded, how long a position was naked and a killed `watch` away."""
    history, counts = campaign.history, campaign.counts
    stretches = naked_stretches(history)
    own = [row for row in history.final["orders"] if is_own_id(row["client_order_id"])]
    held = list(holdings(history.final))
    back = [away.ended - away.began for away in history.absences if away.who == "watch" and away.restarted]
    return {
        "kills": counts.get("kill", 0),
        "pauses": counts.get("pause", 0),
        "faults": counts.get("fault", 0),
        "switches": counts.get("switch", 0),
        "orders": sum(row["side"] in OPENING_SIDES for row in own),
        "fallbacks": sum(row["attempt"] > 0 and row["filled"] > 0 for row in campaign.ours.orders),
        "positions": sum(each.is_ours for each in held),
        "positions_by_hand": sum(not each.is_ours for each in held),
        "unprotected_s_max": round(max((each.counted_s for each in stretches), default=0.0), 1),
        "unprotected_with_outages_s_max": round(max((each.raw_s for each in stretches), default=0.0), 1),
        "watch_back_after_kill_s_max": round(max(back, default=0.0), 1),
    }
