from django.apps import AppConfig


class PostgresConfig(AppConfig):
    name = "apps.postgres"
    label = "postgres"
