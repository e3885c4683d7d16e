from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "apps.live"
    label = "mtf"  # tables, permissions and migrations of running systems know it by this name
    verbose_name = "MTF"
