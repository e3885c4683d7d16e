"""The processes that trade, on servers of their own: for the chaos campaign and the proofs of tests/."""
