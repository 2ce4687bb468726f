"""Records of SQLAlchemy and Django: known by class and primary key, loaded when the job runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from bide.errors import RecordNotFound, UnsavedRecord


class RecordKey(NamedTuple):
    """How to find a record again. `database` names one of several databases (Django's alias)."""

    key: tuple[Any, ...]
    database: str | None = None


class Loader(Protocol):
    """Loads the records of one job, and lets go of them afterwards."""

    def load(self, cls: type, key: RecordKey) -> Any:
        """The current row as a record, past every default filter. Raises RecordNotFound."""
        ...

    def close(self) -> None: ...


class RecordAdapter(Protocol):
    """What Bide must know about a library of records. Adapters never import their library first."""

    def is_record_class(self, cls: type) -> bool: ...

    def key_of(self, record: Any) -> RecordKey:
        """Raises UnsavedRecord for one that is new or deleted."""
        ...

    def unsaved_changes(self, record: Any) -> list[str]:
        """Names of changed attributes that nobody is going to save, as far as the library knows."""
        ...

    def loader(self) -> Loader: ...


class Records:
    """The adapters of an application, asked by class."""

    def __init__(self, adapters: Iterable[RecordAdapter] = ()) -> None:
        self._adapters = list(adapters)
        self._by_class: dict[type, RecordAdapter] = {}

    def adapter(self, cls: type) -> RecordAdapter | None:
        """The adapter of a class of records; None when it is none."""
        found = self._by_class.get(cls)
        if found is None:
            found = next((a for a in self._adapters if a.is_record_class(cls)), None)
            if found is not None:
                self._by_class[cls] = found
        return found


class SQLAlchemyRecords:
    """Mapped classes of SQLAlchemy. `sessions` makes the session in which a job's records live, e.g.
    a sessionmaker; it is closed when the job has ended, and what the job did not commit is gone."""

    def __init__(self, sessions: Callable[[], Any]) -> None:
        self._sessions = sessions

    def is_record_class(self, cls: type) -> bool:
        orm = sys.modules.get("sqlalchemy.orm")
        return orm is not None and isinstance(cls.__dict__.get("__mapper__"), orm.Mapper)

    def key_of(self, record: Any) -> RecordKey:
        state = record._sa_instance_state
        if state.key is None:
            if flushed := _key_in_flush(state, record):
                return RecordKey(flushed)
            raise UnsavedRecord(
                f"{_shown(record)} has no row yet; add it to a session and flush it"
            )
        if state._deleted or state.deleted or _is_marked_deleted(state, record):
            raise UnsavedRecord(f"{_shown(record)} is deleted, so no job could load it")
        return RecordKey(tuple(state.key[1]))

    def unsaved_changes(self, record: Any) -> list[str]:
        """Changes of a record in a session are that session's to save; only others are reported."""
        state = record._sa_instance_state
        if not state.modified or state.session is not None:
            return []
        return sorted(state.committed_state)

    def loader(self) -> Loader:
        return _SQLAlchemyLoader(self._sessions)


def plain_session(engine: Any) -> Any:
    """A SQLAlchemy session on an engine, for applications that name no session of their own."""
    from sqlalchemy.orm import Session

    return Session(engine)


def _key_in_flush(state: Any, record: Any) -> tuple[Any, ...] | None:
    """The key of a record that is being flushed: in after_flush its row is there, its identity not yet."""
    if not getattr(state.session, "_flushing", False):
        return None
    key = tuple(state.mapper.primary_key_from_instance(record))
    return None if None in key else key


def _is_marked_deleted(state: Any, record: Any) -> bool:
    return state.session is not None and record in state.session.deleted


class _SQLAlchemyLoader:
    def __init__(self, sessions: Callable[[], Any]) -> None:
        self._sessions = sessions
        self._session: Any = None

    def load(self, cls: type, key: RecordKey) -> Any:
        """Selects from the table and not from the class, so that no criteria are added to it."""
        import sqlalchemy

        mapper: Any = cls.__mapper__  # type: ignore[attr-defined]
        columns = mapper.primary_key
        if len(columns) != len(key.key):
            raise _gone(cls, key.key)
        table = mapper.selectable
        row = sqlalchemy.select(table).where(
            *(column == part for column, part in zip(columns, key.key, strict=True))
        )
        found = self._open().scalars(
            sqlalchemy.select(cls).from_statement(row).execution_options(populate_existing=True)
        )
        record = found.one_or_none()
        if record is None:
            raise _gone(cls, key.key)
        return record

    def _open(self) -> Any:
        if self._session is None:
            self._session = self._sessions()
        return self._session

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


class DjangoRecords:
    """Models of Django, each from the database that it came from."""

    def is_record_class(self, cls: type) -> bool:
        models = sys.modules.get("django.db.models")
        model = getattr(models, "Model", None)
        return model is not None and issubclass(cls, model) and not cls._meta.abstract  # type: ignore[attr-defined]

    def key_of(self, record: Any) -> RecordKey:
        if record._state.adding or record.pk is None:
            raise UnsavedRecord(
                f"{_shown(record)} has no row (it is new or deleted); save it first"
            )
        key = record.pk if isinstance(record.pk, tuple) else (record.pk,)
        return RecordKey(key, record._state.db)

    def unsaved_changes(self, record: Any) -> list[str]:
        """Django does not know them."""
        return []

    def loader(self) -> Loader:
        return _DjangoLoader()


class _DjangoLoader:
    def load(self, cls: Any, key: RecordKey) -> Any:
        """A bare query: no manager of the model, so none of their filters."""
        from django.db.models import QuerySet

        pk = key.key[0] if len(key.key) == 1 else key.key
        record = QuerySet(cls, using=key.database).filter(pk=pk).first()
        if record is None:
            raise _gone(cls, key.key)
        return record

    def close(self) -> None:
        """Connections are Django's to close."""


def _gone(cls: type, key: tuple[Any, ...]) -> RecordNotFound:
    shown = key[0] if len(key) == 1 else key
    return RecordNotFound(f"{cls.__qualname__} with primary key {shown!r} has no row any more")


def _shown(record: Any) -> str:
    try:
        return repr(record)[:200]
    except Exception:  # noqa: BLE001 - the message matters more than the repr
        return f"a {type(record).__qualname__}"
