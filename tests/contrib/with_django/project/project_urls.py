from django.contrib import admin
from django.urls import include, path
from shop import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("bide/", include("bide.contrib.django.urls")),
    path("greeting/", views.greeting),
    path("order/", views.order),
]
