"""Keeps the market room true: live candles, roll-ups, history, holes."""
