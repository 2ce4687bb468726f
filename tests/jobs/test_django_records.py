"""Django's records as arguments and targets; each test in a child, since Django is set up once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bide import errors
from bide.jobs.payload import MethodCall, Payloads
from bide.jobs.records import DjangoRecords, Records
from bide.jobs.registry import Registry
from in_child import in_child


def job(*args: Any) -> Any:
    return args


def models() -> Any:
    """Two databases, and models in them: one with a filtering manager, one with a key of two."""
    import django
    from django.conf import settings
    from django.db import connections
    from django.db import models as m

    one = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    settings.configure(DATABASES={"default": one, "archive": one}, USE_TZ=True)
    django.setup()

    class Visible(m.Manager):
        def get_queryset(self) -> Any:
            return super().get_queryset().filter(hidden=False)

    class Story(m.Model):
        slug = m.SlugField(primary_key=True)
        text = m.TextField()
        hidden = m.BooleanField(default=False)
        objects = Visible()

        class Meta:
            app_label = "shop"
            base_manager_name = "objects"

        def tell(self) -> str:
            return self.text

    class Line(m.Model):
        pk = m.CompositePrimaryKey("order", "number")
        order = m.IntegerField()
        number = m.IntegerField()

        class Meta:
            app_label = "shop"

    for alias in ("default", "archive"):
        with connections[alias].schema_editor() as editor:
            editor.create_model(Story)
            editor.create_model(Line)
    registry = Registry()
    registry.register_function(job)
    for cls in (Story, Line):
        registry.register_class(cls)
    return Story, Line, Payloads(registry, Records([DjangoRecords()]))


def trip(payloads: Payloads, value: Any) -> Any:
    return payloads.decode(payloads.encode(job, [value]).payload).perform()[0]


def test_a_record_is_loaded_by_its_own_key_past_its_managers() -> None:
    """DJ-101, DJ-102, DJ-554, DJ-555."""

    def child() -> Any:
        story, _, payloads = models()
        stored = payloads.encode(MethodCall(story.objects.create(slug="a", text="x"), "tell"))
        story.objects.filter(pk="a").update(text="y", hidden=True)
        return json.loads(stored.payload)["of"]["key"], payloads.decode(stored.payload).perform()

    assert in_child(child) == (["a"], "y")


def test_a_record_comes_from_the_database_it_was_read_from() -> None:
    def child() -> Any:
        story, _, payloads = models()
        story.objects.create(slug="a", text="here")
        there = story.objects.using("archive").create(slug="a", text="there")
        return trip(payloads, there).text

    assert in_child(child) == "there"


def test_a_key_of_two_columns_survives() -> None:
    """DJ-101."""

    def child() -> Any:
        _, line, payloads = models()
        return trip(payloads, line.objects.create(order=3, number=4)).pk

    assert in_child(child) == (3, 4)


@pytest.mark.parametrize("state", ["new", "new with a key", "deleted"])
def test_a_record_without_a_row_is_refused(state) -> None:
    """DJ-065, DJ-066, DJ-552."""

    def child() -> Any:
        story, _, payloads = models()
        record = story(slug="a", text="x") if state != "new" else story(slug=None)
        if state == "deleted":
            record.save()
            record.delete()
        with pytest.raises(errors.UnsavedRecord, match=r"args\[0\].*save it first"):
            payloads.encode(job, [record])
        with pytest.raises(errors.UnsavedRecord, match=r"Story#tell"):
            payloads.encode(MethodCall(record, "tell"))

    in_child(child)


def test_a_record_that_is_gone_is_named() -> None:
    """DJ-068."""

    def child() -> Any:
        story, _, payloads = models()
        record = story.objects.create(slug="a", text="x")
        stored = payloads.encode(job, [record])
        record.delete()
        with pytest.raises(errors.RecordNotFound, match="Story with primary key 'a'"):
            payloads.decode(stored.payload)

    in_child(child)
