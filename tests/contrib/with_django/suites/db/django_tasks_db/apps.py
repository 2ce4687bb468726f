from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Config(AppConfig):
    name = "django_tasks_db"

    def ready(self):
        from django_tasks_db.view import make

        post_migrate.connect(make, sender=self)
