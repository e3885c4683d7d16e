"""Why: verdicts of any moment recomputed from stored candles, and what they say beside what was stored."""
