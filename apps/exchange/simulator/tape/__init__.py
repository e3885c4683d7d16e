"""The recorded market: 24 whole UTC days of 1m candles of 16 contracts (see README.md for their source)."""
