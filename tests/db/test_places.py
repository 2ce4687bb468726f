from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from bide.db import places
from bide.errors import SettingsError, UnsupportedFeature


def test_a_file_is_named_by_its_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert places.file_of(make_url("sqlite:///jobs.db")) == tmp_path / "jobs.db"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory"])
def test_memory_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="which each connection has for itself"):
        places.file_of(make_url(url))


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent' of the database is not there"):
        places.file_of(make_url(f"sqlite:///{tmp_path}/absent/jobs.db"))


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none here, so the disk of the test is called one."""
    here = places._file_system(tmp_path)
    assert here not in places._NETWORK
    monkeypatch.setitem(places._NETWORK, here, "NFS")  # type: ignore[arg-type]
    with pytest.raises(UnsupportedFeature, match=r"lies on NFS: .* use PostgreSQL or MySQL"):
        places.file_of(make_url(f"sqlite:///{tmp_path}/jobs.db"))
