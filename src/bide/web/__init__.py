"""The screens: jobs, queues, workers and texts in a browser, to mount or to serve by `bide web`."""

from bide.web.app import create_app, create_wsgi_app
from bide.web.roles import Viewer
from bide.web.users import Users, hashed_password

__all__ = ["Users", "Viewer", "create_app", "create_wsgi_app", "hashed_password"]
