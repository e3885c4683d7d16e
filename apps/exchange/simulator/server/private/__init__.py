"""The account's side of the exchange: signed requests, and pushes to who logged in."""
