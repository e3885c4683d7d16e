"""From a READY verdict to an order: found again, confirmed, planned on the market of now, claimed, sent."""
