"""The worked example's long, traded by the replay on a market made by hand: the page's numbers come out."""

from __future__ import annotations

from apps.backtest.outcome import Exit
from tests.backtest.worked_example import market, played
from tests.engine.test_worked_example import long_trade
from tests.engine.trade_builder import D

GAP_AT = 681_052
"""The bid there, half of the spread of 2 bps below, is the target: 68098.4."""


def test_the_long_that_wins_earns_what_the_page_says() -> None:
    outcome, _ = played(market(then=GAP_AT))
    [trade], page = outcome.trades, long_trade()
    plan = trade.plan
    planned = {
        "client order id": plan.client_order_id,
        "entry": plan.entry,
        "stop": plan.stop,
        "target": plan.target,
        "size": plan.size,
        "leverage": plan.leverage,
        "risk": plan.sizing.risk,
        "expected R net": plan.expected_r_net,
        "cancelled at": f"{plan.expires_at:%H:%M:%S}",
    }
    assert planned == {name: page[name] for name in planned}
    fees = D(str(page["entry fee"])) + D(str(page["exit fee"]))
    assert (trade.exit, trade.exit_price, trade.gross) == (Exit.TARGET, page["exit"], page["gross"])
    assert (trade.fees, trade.funding) == (fees, 0)
    assert (trade.net, trade.r_multiple) == (page["realised"], page["R multiple"])
    assert outcome.equity_points[-1].balance == 1000 + trade.net
