"""A new protocol, written from the template and built: beside LUNG, and alone."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from ivfhir.cli.main import main
from ivfhir.knowledge.package import ROOT_VARIABLE
from smart_app.app import create_app
from tests.smart_app.conftest import (
    app,
    begin,
    client,
    client_options,
    clock,
    database_url,
    ehr_options,
    fake_ehr,
    launch_for,
    registration,
)
from tools.knowledge.__main__ import main as knowledge
from tools.knowledge.layout import Layout

__all__ = [
    "app",
    "begin",
    "client",
    "client_options",
    "clock",
    "database_url",
    "ehr_options",
    "fake_ehr",
    "launch_for",
    "make_app",
    "registration",
]


@pytest.fixture
def make_app() -> Callable[..., Flask]:
    """What makes an app: here each reads the protocols of its own folder."""
    return create_app


@pytest.fixture(scope="session")
def built(java: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our protocols with KIDNEY beside them, as the command and the build wrote it; to be read."""
    root = tmp_path_factory.mktemp("new") / "plan_definitions"
    shutil.copytree(Layout().knowledge, root, ignore=shutil.ignore_patterns("cases"))
    assert main(["protocols", "new", "KIDNEY", "--folder", str(root)]) == 0
    assert knowledge(["build"], Layout(knowledge=root)) == 0
    return root


@pytest.fixture
def beside(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """App and command line find KIDNEY beside LUNG."""
    monkeypatch.setenv(ROOT_VARIABLE, str(built))
    return built


@pytest.fixture
def own_copy(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same in a folder that a test may break."""
    root = tmp_path / "plan_definitions"
    shutil.copytree(built, root)
    monkeypatch.setenv(ROOT_VARIABLE, str(root))
    return root


@pytest.fixture
def alone(own_copy: Path) -> Path:
    """App and command line find KIDNEY, and no other protocol."""
    for folder in own_copy.iterdir():
        if folder.is_dir() and folder.name not in ("kidney", "shared"):
            shutil.rmtree(folder)
    (own_copy / "planned.toml").unlink()
    return own_copy
