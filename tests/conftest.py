from __future__ import annotations

from typing import Any

from django.core.signals import setting_changed
from django.dispatch import receiver

from apps.exchange import venue


@receiver(setting_changed)
def forget_the_venue(**_: Any) -> None:
    """A process builds its venue once; here its settings change."""
    if venue._built.cache_info().currsize:
        built: Any = venue._built()
        for each in (built.broker, built.history._client, built.prompt_history._client):
            each.close()
    for cached in (venue.current, venue.dry, venue._built):
        cached.cache_clear()
