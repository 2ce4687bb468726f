"""What happens behind the pages."""

import time

from django.core.mail import send_mail

from bide.contrib.django import task
from bide.i18n import t
from orders.models import Order


@task(max_attempts=5, backoff=1)
def confirm(order_id):
    """Confirm an order in the language of whoever placed it, and tell the customer."""
    order = Order.objects.get(pk=order_id)
    if order.item == "unobtainium":
        raise ValueError("no supplier has unobtainium")
    if order.item == "cheese":
        time.sleep(2)  # it has to ripen
    order.confirmation = t("order.confirmed", customer=order.customer, item=order.item)
    order.save()
    send_mail("Your order", order.confirmation, "shop@example.org", ["customer@example.org"])
    return order.confirmation
