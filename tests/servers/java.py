"""The `java` fixture: a JDK and Maven."""

import pytest

from tests.servers.needs import need
from tools import maven


@pytest.fixture(scope="session")
def java() -> None:
    """Java 17 or newer and Maven are here."""
    need(maven.missing_java())
