from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language
from orders import views

urlpatterns = [
    path("", views.orders, name="orders"),
    path("language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("bide/", include("bide.contrib.django.urls")),
]
