from django.db import transaction
from django.shortcuts import redirect, render

from orders.models import Order
from orders.tasks import confirm


@transaction.atomic
def orders(request):
    """The list; a POST places an order and enqueues its confirmation, both or neither."""
    if request.method == "POST":
        place(request.POST["customer"], request.POST["item"])
        return redirect("orders")
    return render(request, "orders/list.html", {"orders": Order.objects.order_by("-pk")[:20]})


def place(customer, item):
    order = Order.objects.create(customer=customer, item=item)
    confirm.enqueue(order.pk)
    return order
