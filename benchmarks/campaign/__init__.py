"""The chaos campaign: what is done to the system, what the exchange showed meanwhile, and the judgement."""
