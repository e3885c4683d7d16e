"""A local exchange that speaks BitMart's Futures V2 protocol over a recorded real market.

It shares no code with the client beside it: a mistake in one cannot hide the same mistake in the other.
"""
