"""The shop's own tests: no worker needs to run for them."""

from django.core import mail
from django.test import TestCase, override_settings

from bide.contrib.django.testing import drain
from orders.models import Order


@override_settings(
    BIDE={
        "I18N": "orders.texts.i18n",
        "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
    }
)
class Orders(TestCase):
    def test_an_order_is_confirmed_in_the_customers_language(self):
        order = {"customer": "Ada", "item": "tea"}
        self.client.post("/", order, headers={"accept-language": "de"})
        self.assertEqual(drain(), (1, 0))
        self.assertEqual(Order.objects.get().confirmation, "Danke, Ada: tea ist unterwegs.")
        self.assertContains(self.client.get("/"), "Danke, Ada")

    def test_what_nobody_has_is_tried_again(self):
        self.client.post("/", {"customer": "Bob", "item": "unobtainium"})
        self.assertEqual(drain(), (0, 1))
        self.assertContains(self.client.get("/"), "being confirmed")
        self.assertEqual(mail.outbox, [])
