"""HL7's official test cases (org.hl7.fhir.testcases), fetched by coordinate with Maven.

Nothing of them is copied into the project.
"""

import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.servers.needs import need
from tools import maven

PROJECT = Path(__file__).parent
INSIDE = "org/hl7/fhir/testcases"


@pytest.fixture(scope="session")
def official_cases() -> Iterator[zipfile.ZipFile]:
    """The jar of the official test cases, open."""
    need(maven.missing_java())
    with zipfile.ZipFile(fetched()) as jar:
        yield jar


@cache
def fetched() -> Path:
    """Return the jar, fetched once for each version that pom.xml names."""
    folder = Path(maven.build(PROJECT).partition("/*")[0])
    return next((folder / "lib").glob("fhir-test-cases-*.jar"))


def text_of(jar: zipfile.ZipFile, path: str) -> str:
    """Return a file of the cases, by its path below their folder, such as `r4/patient.xml`."""
    return jar.read(f"{INSIDE}/{path}").decode("utf-8")
