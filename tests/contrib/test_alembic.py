"""An application's own Alembic, with Bide's tables in its MetaData."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

import bide
from bide.contrib.sqlalchemy import include_tables
from bide.db.migrate import check
from bide.errors import SettingsError
from bide.i18n.migrations import TEXTS
from bide.jobs.migrations import JOBS

#: SQLAlchemy reads all tables of a database when it wants most of them.
pytestmark = pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression")

ENV = """
from alembic import context
config = context.config
opts = dict(target_metadata=config.attributes["metadata"], render_as_batch=True)
if context.is_offline_mode():
    context.configure(dialect_name=config.attributes["dialect"], literal_binds=True, **opts)
    with context.begin_transaction():
        context.run_migrations()
else:
    with config.attributes["engine"].connect() as connection:
        context.configure(connection=connection, **opts)
        with context.begin_transaction():
            context.run_migrations()
"""


class Project:
    """An application with a table of its own and an Alembic environment."""

    def __init__(self, folder: Path, url: str, **settings: str) -> None:
        self.app = bide.App(url, **settings)
        assert self.app.database is not None
        self.database = self.app.database
        self.engine = self.database.engine
        self.metadata = sa.MetaData(naming_convention={"pk": "pk_%(table_name)s"})
        sa.Table(
            "orders",
            self.metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("name", sa.String(50)),
            sa.Index("orders_name", "name"),
        )
        self.config = Config()
        command.init(self.config_for(folder), str(folder))
        (folder / "env.py").write_text(ENV)

    def config_for(self, folder: Path) -> Config:
        self.config.config_file_name = str(folder.parent / "alembic.ini")
        self.config.set_main_option("script_location", str(folder))
        self.config.attributes |= {
            "metadata": self.metadata,
            "engine": self.engine,
            "dialect": self.engine.dialect.name,
        }
        return self.config

    def revision(self) -> str:
        """Autogenerate; the text of the file."""
        script = command.revision(self.config, autogenerate=True)
        return Path(script.path).read_text()  # type: ignore[union-attr]

    def tables(self) -> set[str]:
        return set(sa.inspect(self.engine).get_table_names())

    def works(self) -> bool:
        """Whether a job can be stored and performed, and all steps have run."""
        for line in (JOBS, TEXTS):
            check(self.database, line)
        done: list[str] = []
        job = self.app.job(done.append, name="note")
        job.delay("a")
        return self.app.worker().work_off() == (1, 0) and done == ["a"]


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Iterator[Project]:
    made = Project(tmp_path / "migrations", database_url)
    yield made
    made.app.close()


def test_autogenerate_writes_the_steps_and_sees_no_difference_afterwards(project: Project) -> None:
    include_tables(project.metadata, project.app)
    written = project.revision()
    assert "import bide.contrib.alembic\n" in written
    assert "bide.contrib.alembic.upgrade('jobs', '00" in written
    assert "bide.contrib.alembic.downgrade('texts', 'base', since='00" in written
    assert "bide_" not in written.replace("bide_contrib", "")

    command.upgrade(project.config, "head")
    assert project.works()
    command.check(project.config)  # raises if autogenerate would find anything
    assert "pass" in project.revision().split("def upgrade")[1]


def test_the_way_back_drops_what_the_steps_made_and_keeps_the_texts(project: Project) -> None:
    include_tables(project.metadata, project.app)
    project.revision()
    command.upgrade(project.config, "head")
    command.downgrade(project.config, "base")
    assert {name for name in project.tables() if not name.endswith("_version")} == {"translations"}
    command.upgrade(project.config, "head")
    assert project.works()


def test_statements_of_a_revision_may_stand_around_the_steps(project: Project) -> None:
    """Bide's steps speak through the same `op`, and give it back."""
    include_tables(project.metadata, project.app)
    command.revision(project.config, autogenerate=True)
    path = next(Path(project.config.get_main_option("script_location") or "").glob("versions/*.py"))
    text = path.read_text()
    head, body = text.split("def upgrade() -> None:\n", 1)
    path.write_text(
        f"{head}def upgrade() -> None:\n"
        "    bide.contrib.alembic.upgrade('jobs')\n"
        "    op.create_table('later', sa.Column('id', sa.Integer, primary_key=True))\n" + body
    )
    command.upgrade(project.config, "head")
    assert {"later", "orders", "bide_jobs"} <= project.tables()


def test_tables_that_bide_migrated_itself_are_left_alone(project: Project) -> None:
    project.app.migrate()
    include_tables(project.metadata, project.app)
    written = project.revision()
    assert "bide" not in written
    command.upgrade(project.config, "head")
    command.check(project.config)
    assert project.works()


def test_without_the_tables_autogenerate_wants_to_drop_them(project: Project) -> None:
    """Why include_tables is there."""
    project.app.migrate()
    assert "op.drop_table('bide_jobs')" in project.revision()


def test_a_difference_of_versions_is_found_by_check(project: Project) -> None:
    include_tables(project.metadata, project.app)
    project.metadata.create_all(project.engine, tables=[project.metadata.tables["orders"]])
    with pytest.raises(CommandError, match=r"move_tables.*bide_jobs_version"):
        command.check(project.config)


def test_steps_that_are_missing_are_all_that_is_written(project: Project) -> None:
    from bide.db.migrate import migrate

    migrate(project.database, JOBS, "0001")
    migrate(project.database, TEXTS)
    include_tables(project.metadata, project.app)
    project.metadata.create_all(project.engine, tables=[project.metadata.tables["orders"]])
    written = project.revision()
    assert "since='0001')" in written.split("def upgrade")[1].split("def downgrade")[0]
    assert "bide.contrib.alembic.downgrade('jobs', '0001', since=" in written
    assert "'texts'" not in written
    command.upgrade(project.config, "head")
    command.downgrade(project.config, "base")
    command.upgrade(project.config, "head")
    assert project.works()


def test_a_prefix_is_kept(tmp_path: Path, sqlite_url: str) -> None:
    project = Project(tmp_path / "migrations", sqlite_url, table_prefix="shop_")
    include_tables(project.metadata, project.app)
    assert "prefix='shop_'" in project.revision()
    command.upgrade(project.config, "head")
    assert "shop_jobs" in project.tables()
    command.check(project.config)
    assert project.works()
    project.app.close()


def test_the_script_of_an_upgrade_holds_the_steps(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    include_tables(project.metadata, project.app)
    project.revision()
    command.upgrade(project.config, "head", sql=True)
    printed = capsys.readouterr().out
    for piece in ("CREATE TABLE bide_jobs ", "bide_jobs_ready", "CREATE TABLE orders", "TRIGGER"):
        assert piece in printed
    command.upgrade(project.config, "head")
    assert project.works()


def test_create_all_and_drop_all_run_the_steps(project: Project) -> None:
    include_tables(project.metadata, project.app)
    for _ in range(2):
        project.metadata.create_all(project.engine)
        project.metadata.create_all(project.engine)
        assert project.works()
        assert "bide_jobs_ready" in {
            index["name"] for index in sa.inspect(project.engine).get_indexes("bide_jobs")
        }
        project.metadata.drop_all(project.engine)
        assert {name for name in project.tables() if not name.endswith("_version")} == set()


def test_one_table_of_the_application_alone_makes_none_of_ours(project: Project) -> None:
    include_tables(project.metadata, project.app)
    project.metadata.create_all(project.engine, tables=[project.metadata.tables["orders"]])
    assert project.tables() == {"orders"}


def test_the_tables_can_be_asked_through_the_metadata(project: Project) -> None:
    include_tables(project.metadata, project.app)
    include_tables(project.metadata, project.app)
    project.metadata.create_all(project.engine)
    job = project.app.job(len, name="note").delay("a")
    jobs = project.metadata.tables["bide_jobs"]
    with project.engine.connect() as connection:
        assert connection.scalar(sa.select(jobs.c.id).where(jobs.c.name == "note")) == job.id


def test_an_application_in_memory_has_no_tables() -> None:
    with pytest.raises(SettingsError, match="in memory has no tables"):
        include_tables(sa.MetaData(), bide.App("memory://"))
