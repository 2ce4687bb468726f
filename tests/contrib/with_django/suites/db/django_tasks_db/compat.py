from bide.contrib.django.tasks_api import DjangoTask as Task

__all__ = ["Task"]
