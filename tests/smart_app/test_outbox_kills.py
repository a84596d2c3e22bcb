"""App and worker killed at any request: no plan lost, doubled or half-written.

A cut of the long form that `make faults` runs.
"""

from pathlib import Path

import pytest

from tests.servers.postgres_server import PostgresServer
from tests.smart_app.kills import kill_often

pytestmark = pytest.mark.server


def test_killed_on_sqlite_again_and_again(sekmet: str, tmp_path: Path) -> None:
    tally = kill_often(sekmet, tmp_path, 12, seed=11)
    assert tally.wrong == []
    assert tally.kills == 12
    assert tally.accepted


def test_killed_on_postgresql_again_and_again(
    sekmet: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    tally = kill_often(sekmet, tmp_path, 8, seed=12, database_url=postgres.new_database())
    assert tally.wrong == []
    assert tally.kills == 8
    assert tally.accepted
