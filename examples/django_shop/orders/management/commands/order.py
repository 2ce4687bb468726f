from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import translation

from orders.views import place


class Command(BaseCommand):
    help = "Place an order: manage.py order Ada tea --language de"

    def add_arguments(self, parser):
        parser.add_argument("customer")
        parser.add_argument("item")
        parser.add_argument("--language", default="en")

    def handle(self, customer, item, language, **_):
        with translation.override(language), transaction.atomic():
            order = place(customer, item)
        self.stdout.write(f"Order {order.pk}: {order}")
