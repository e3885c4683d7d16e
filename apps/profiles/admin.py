"""Every content a profile ever had."""

from __future__ import annotations

from django.contrib import admin

from apps.admin_base.cell import link
from apps.admin_base.table import ReadOnlyAdmin
from apps.profiles.models import ProfileVersion


@admin.register(ProfileVersion)
class ProfileVersionAdmin(ReadOnlyAdmin):
    list_display = ("name", "short_digest", "first_seen_at", "runs")
    list_filter = ("name",)
    search_fields = ("name", "digest")
    fields = ("name", "digest", "first_seen_at", "content")

    @admin.display(description="digest")
    def short_digest(self, version: ProfileVersion) -> str:
        return version.digest[:12]

    @admin.display(description="runs")
    def runs(self, version: ProfileVersion) -> str:
        return link("mtf_mtfrun_changelist", "runs", digest=version.digest)
