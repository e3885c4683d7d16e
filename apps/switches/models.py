"""Kill switches: a missing row and an expired OFF are on."""

from django.db import models
from django.utils import timezone


class MtfSwitch(models.Model):
    """`GLOBAL`, `PROFILE:p`, `SYMBOL:X` or `SYMBOL_TF:X:tf`."""

    switch_key = models.TextField(unique=True)
    is_on = models.BooleanField(default=True)
    reason = models.TextField(blank=True, default="")
    changed_by = models.TextField(blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="an OFF ends by itself at this time")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "mtf_switch"
        ordering = ["switch_key"]
        verbose_name = "kill switch"
        verbose_name_plural = "kill switches"

    def __str__(self) -> str:
        return self.switch_key

    @property
    def is_in_force(self) -> bool:
        """Whether it stops anything now."""
        return not self.is_on and (self.expires_at is None or self.expires_at > timezone.now())
