"""A flower shop's texts: what translators see in browser tests and in the pictures of the documentation."""

from __future__ import annotations

from bide import App
from bide.i18n import Chain, Database, I18n, Simple, Used
from bide.i18n.editing.editor import Editor
from bide.i18n.editing.saving import Edit

ENGLISH = {
    "shop": {
        "title": "Flower shop",
        "welcome": "Hello %{name}, welcome back!",
        "cart": {
            "items": {
                "one": "%{count} bouquet in your cart",
                "other": "%{count} bouquets in your cart",
            },
            "empty": "Your cart is empty.",
        },
        "footer_html": 'Questions? <a href="%{url}">Write to us</a>.',
        "days": ["Sunday", "Monday", "Tuesday"],
    },
    "mail": {
        "confirm": {
            "subject": "Your order %{number}",
            "body": "Dear %{name},\n\nthank you for your order.\nIt comes on %{day}.\n\nYour flower shop",
        }
    },
    "errors": {
        "payment": "The payment was declined by your bank.",
        "stock": "Only %{left} left in stock.",
    },
}
GERMAN = {
    "shop": {
        "title": "Blumenladen",
        "welcome": "Hallo %{name}, schön, dass du wieder da bist!",
        "cart": {"empty": "Dein Warenkorb ist leer. "},
        "footer_html": 'Fragen? <a href="%{link}">Schreib uns</a>.',
    }
}
ARABIC = {
    "shop": {
        "title": "متجر الزهور",
        "welcome": "مرحبًا %{name}، أهلًا بعودتك!",
        "cart": {
            "items": {
                "zero": "سلتك فارغة", "one": "باقة واحدة في سلتك", "two": "باقتان في سلتك",
                "few": "%{count} باقات في سلتك", "many": "%{count} باقة في سلتك",
                "other": "%{count} باقة في سلتك",
            }
        },
    }
}  # fmt: skip


def open_flowers(app: App) -> Editor:
    """Give the App its texts, with some work done and some left."""
    files, database = Simple(), Database(app)
    for locale, texts in (
        ("en", ENGLISH),
        ("de", GERMAN),
        ("ar", ARABIC),
        ("ja", {"shop": {"title": "花屋"}}),
    ):
        files.store(locale, texts)
    i18n = I18n(Used(Chain(database, files), database.note_use))
    app.use(i18n)
    app.migrate()
    editor = Editor(i18n)
    editor.save(Edit("de", "errors.payment", "Die Zahlung wurde abgelehnt.", "Ben"))
    editor.save(
        Edit(
            "de",
            "errors.payment",
            "Die Zahlung wurde von deiner Bank abgelehnt.",
            "Ada",
            state="approved",
        )
    )
    editor.save(Edit("en", "errors.payment", "Your bank declined the payment.", "Ada"))
    editor.reviews.suggest("de", "shop.title", "Blumengeschäft", "Carla")
    editor.reviews.note("de", "shop.title", "Steht auf dem Schild über der Tür.", "Ada")
    i18n.t("shop.welcome", name="x", locale="de")
    return editor
