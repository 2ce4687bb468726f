from django.core.management.base import BaseCommand

from orders.models import Order


class Command(BaseCommand):
    help = "List the orders with their confirmations."

    def handle(self, **_):
        for order in Order.objects.order_by("pk"):
            self.stdout.write(f"{order.pk}  {order}  {order.confirmation or '(waiting)'}")
