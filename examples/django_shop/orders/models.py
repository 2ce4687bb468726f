from django.db import models


class Order(models.Model):
    customer = models.CharField(max_length=80)
    item = models.CharField(max_length=80)
    confirmation = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return f"{self.item} for {self.customer}"
