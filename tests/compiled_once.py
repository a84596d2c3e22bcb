"""Our protocols, compiled once for all tests of a process: they are the same files each time."""

from functools import cache
from pathlib import Path

import pytest

from ivfhir.cli import evaluate
from ivfhir.knowledge import load
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.knowledge.registry import Registry
from ivfhir.knowledge.route import BrokenRoute, RouteRule, load_route

_ROOT = Path(__file__).parents[1] / "plan_definitions"
_REGISTRY = Registry()
_as_it_is = load._load
_once = cache(lambda path: _as_it_is(path, _REGISTRY))
_route = cache(lambda: load_route(_REGISTRY))


@pytest.fixture(autouse=True)
def compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a test the protocols that another one compiled; those of other folders are its own."""
    monkeypatch.setattr(load, "_load", _load)
    monkeypatch.setattr(evaluate, "load_route", _load_route)


@pytest.fixture
def compiled_anew(compiled_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile each protocol when it is loaded, for a test that tries loading itself."""
    monkeypatch.setattr(load, "_load", _as_it_is)
    monkeypatch.setattr(evaluate, "load_route", load_route)


def _load(path: Path, registry: Registry) -> ClinicalProtocol:
    if registry.overlay is None and path.is_relative_to(_ROOT):
        return _once(path)
    return _as_it_is(path, registry)


def _load_route(registry: Registry) -> RouteRule | BrokenRoute | None:
    if registry.overlay is None and load.knowledge_root() == _ROOT:
        return _route()
    return load_route(registry)
