"""The HTTP API: every view translates, makes one call, and translates back."""
