from django.db import models

from bide.contrib.django import app


class Order(models.Model):
    text = models.CharField(max_length=100)
    shipped_by = models.CharField(max_length=100, default="")

    class Meta:
        app_label = "shop"

    @app.asynchronously(queue="mail")
    def ship(self, by):
        self.shipped_by = by
        self.save()
