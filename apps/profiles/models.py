"""Every content a strategy profile ever had, under its digest."""

from django.db import models


class ProfileVersion(models.Model):
    digest = models.CharField(primary_key=True, max_length=64)
    name = models.TextField()
    content = models.JSONField()
    first_seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "profile_version"
        ordering = ["-first_seen_at"]

    def __str__(self) -> str:
        return f"{self.name} {self.digest[:12]}"
