from django.apps import AppConfig


class DbConfig(AppConfig):
    name = "apps.db"
    label = "postgres"  # migrations of running systems know it by this name
