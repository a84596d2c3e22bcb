"""The reference engine, Clinical Reasoning in Java, in memory: java/EvaluateBenchmark.java."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from benchmarks.evaluate.engine import Answers, Measured
from benchmarks.evaluate.patients import AS_OF, PROJECT
from benchmarks.piped import piped
from ivfhir.evaluate import MODES
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.knowledge.route import RouteRule
from tools import maven

COMPARED = ("Status", "Failed", "Unknown", "Cautions")
# What else our decision holds, but for the patient's death and notes, which stand in another
# library: that much less is asked of Java.
SILENT = ("NotAssessable", "Criteria")


class JavaEngine:
    """The other end of a running EvaluateBenchmark; idle while it is not asked."""

    def __init__(self, orders: IO[str], said: IO[str], count: int) -> None:
        """Talk over these pipes about so many patients."""
        self._orders, self._said = orders, said
        lines = [said.readline().rstrip("\n") for _ in range(count)]
        self._answers = [tuple(line.split("\t")) for line in lines]

    def answers(self) -> Answers:
        """Return for each patient one text for each library."""
        return self._answers

    def run_for(self, seconds: float) -> Measured:
        """Decide patients for so long."""
        print(seconds, file=self._orders, flush=True)
        patients, took = self._said.readline().split()
        return Measured(int(patients), float(took))


@contextmanager
def started(
    patients: Sequence[bytes],
    asked: Sequence[ClinicalProtocol | RouteRule],
    *,
    together: bool = True,
) -> Iterator[JavaEngine]:
    """Build and start the Java program, with the machine's own choice of compiler and collector.

    Args:
        patients: JSON of a Bundle each.
        asked: what is decided about each.
        together: all in one evaluation, which shares facts; else an evaluation for each, as a
            server's $evaluate and $apply ask for them.

    Raises:
        tools.maven.JavaMissingError: no Java or no Maven.
    """
    class_path = maven.build(Path(__file__).with_name("java"))
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as file:
        file.write(b"\n".join(patients))
        file.flush()
        arguments = [str(PROJECT / "plan_definitions"), file.name, AS_OF]
        arguments += ["together" if together else "apart", *map(argument, asked)]
        command = maven.java_command(class_path, "EvaluateBenchmark", arguments, options=())
        with piped(command) as (orders, said):
            yield JavaEngine(orders, said, len(patients))


def argument(asked: ClinicalProtocol | RouteRule) -> str:
    """Return a library and its defines as the program takes them."""
    name, version = asked.library.name, asked.library.version
    if isinstance(asked, RouteRule):
        return f"{name}|{version}={name}_Route;"
    modes = [MODES] if f"{name}_{MODES}" in asked.library.defines else []
    shown, silent = (
        ",".join(f"{name}_{each}" for each in names) for names in ((*COMPARED, *modes), SILENT)
    )
    return f"{name}|{version}={shown};{silent}"
