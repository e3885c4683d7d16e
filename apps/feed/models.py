"""The pulse of the stream process, for everyone who must know whether the market is seen."""

from __future__ import annotations

from django.db import models


class StreamHealth(models.Model):
    """One row a stream process, rewritten about once a second."""

    name = models.TextField(unique=True)
    connected = models.BooleanField()
    symbols = models.PositiveIntegerField()
    last_message_at = models.DateTimeField(null=True)
    last_candle_at = models.DateTimeField(null=True, help_text="close time of the newest stored 1m candle")
    quote_symbols = models.PositiveIntegerField(
        default=0, help_text="subscribed for quotes: READY or likely to be, resting or held"
    )
    last_quote_at = models.DateTimeField(null=True, help_text="when the newest pushed quote was made")
    reconnects = models.PositiveIntegerField(default=0)
    fetched = models.PositiveIntegerField(default=0, help_text="candles stored from requests, not pushes")
    history = models.JSONField(default=dict, help_text="progress of the start-up history")
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "stream_health"
        verbose_name_plural = "stream health"

    def __str__(self) -> str:
        return self.name
