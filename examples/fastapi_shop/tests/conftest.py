"""A database and an outbox of the tests' own, before the shop is imported."""

import os
import tempfile

os.environ.setdefault("SHOP_DATABASE_URL", f"sqlite:///{tempfile.mkdtemp()}/shop.db")
