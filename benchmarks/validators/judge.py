"""HAPI's validator in Java, in memory, R4 alone and no terminology server: java/."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.piped import piped
from ivfhir.fhir.json import dumps
from ivfhir.fhir.types import Json
from tools import maven

PROGRAM = "ValidatorJudge"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What HAPI says of a resource.

    Attributes:
        ms: how long it took.
        errors: each with its place first.
    """

    ms: float
    errors: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether it could not judge at all."""
        return any(each.startswith("failed: ") for each in self.errors)


class Judge:
    """The other end of a running ValidatorJudge; idle while it is not asked."""

    def __init__(self, asked: IO[str], said: IO[str]) -> None:
        """Talk over these pipes."""
        self._asked, self._said = asked, said

    def judge(self, resource: Json) -> Judgement:
        """Return what it says of a resource."""
        print(dumps(resource), file=self._asked, flush=True)
        took, *errors = self._said.readline().rstrip("\n").split("\t")
        return Judgement(int(took) / 1e6, tuple(errors))


@contextmanager
def started() -> Iterator[Judge]:
    """Build and start the Java program; it ends with the block.

    Raises:
        tools.maven.JavaMissingError: no Java or no Maven.
    """
    class_path = maven.build(Path(__file__).with_name("java"))
    command = maven.java_command(class_path, PROGRAM, options=("-Xmx1g",))
    with piped(command, silent=True) as (asked, said):
        yield Judge(asked, said)
