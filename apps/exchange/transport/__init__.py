"""What every exchange needs and no exchange is known by: turns, connections, clocks, retries."""

USER_AGENT = "TradingV3/0.1"
"""Any name of our own: proxies in front of exchanges refuse those of HTTP libraries."""
