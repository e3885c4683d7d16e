from django.apps import AppConfig


class MtfConfig(AppConfig):
    name = "apps.mtf"
    label = "mtf"
    verbose_name = "MTF"
