"""Why, and how it stands: verdicts recomputed from stored candles, reports, summaries. Reads only."""
