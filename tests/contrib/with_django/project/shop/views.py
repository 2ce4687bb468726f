from django.http import HttpResponse
from django.template import Context, Template

from shop.tasks import here

PAGE = Template(
    '{% load bide i18n %}{% t "hello" name=name %}|{% t "cat" count=2 %}|{% translate "Save" %}'
)


def greeting(request):
    return HttpResponse(PAGE.render(Context({"name": "<Ada>"})))


def order(request):
    return HttpResponse(here.enqueue().id)
