from django.apps import AppConfig


class AdminBaseConfig(AppConfig):
    name = "apps.admin_base"
