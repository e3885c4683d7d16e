from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LiveConfig(AppConfig):
    name = "apps.live"
    label = "mtf"  # tables, permissions and migrations of running systems know it by this name
    verbose_name = "MTF"

    def ready(self) -> None:
        """Keep beat's rows as this version's schedule says.

        They belong to this version's code, not to the tables: post_migrate is Django's hook for such rows,
        and every start and update of ours migrates.
        """
        from apps.live.schedule import sync_schedule

        post_migrate.connect(sync_schedule, sender=self)
