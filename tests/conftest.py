"""The fixtures that start real things: servers, a browser. They skip where one cannot start."""

import gc

import pytest

from ivfhir.cli.main import GARBAGE_AFTER
from tests.compiled_once import compiled_anew, compiled_once
from tests.in_memory import write_to_memory
from tests.official.cases import official_cases
from tests.servers.chromium import browser
from tests.servers.hapi_server import hapi, hapi_with_knowledge
from tests.servers.java import java
from tests.servers.postgres_server import postgres
from tests.servers.sekmet_server import sekmet
from tests.side_by_side import ByFile, longest_first, room_of

__all__ = [
    "browser",
    "compiled_anew",
    "compiled_once",
    "hapi",
    "hapi_with_knowledge",
    "java",
    "official_cases",
    "postgres",
    "sekmet",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run rewrite the golden files; read their diff as code."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")


def pytest_configure() -> None:
    """Look for garbage seldom: in what tests keep, that takes a sixth of their time.

    Files are written to memory.
    """
    gc.set_threshold(*GARBAGE_AFTER)
    write_to_memory()


def pytest_collection_finish() -> None:
    """Leave the tests themselves, which stay to the end, out of it."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what takes long first where the run has several workers.

    Raises:
        pytest.UsageError: a test would start a HAPI of its own in a run with several workers.
    """
    for path in {each.nodeid.split("::", 1)[0] for each in items if "hapi" in names_of(each)}:
        if not room_of(path).startswith("hapi"):
            raise pytest.UsageError(f"{path} asks for HAPI: tests/side_by_side.py must see it.")
    if hasattr(config, "workerinput"):
        paths = {item.nodeid.split("::", 1)[0] for item in items}
        rank = {path: longest_first(path) for path in paths}
        items.sort(key=lambda item: rank[item.nodeid.split("::", 1)[0]])


def names_of(item: pytest.Item) -> list[str]:
    """Return the fixtures that a test asks for, by whatever way."""
    return getattr(item, "fixturenames", [])


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    """Deal out the tests of a run with several workers."""
    return ByFile(config, log)
