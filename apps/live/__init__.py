"""The live desk: a minute on the clock, warm windows, the same cycle that a backtest turns."""
