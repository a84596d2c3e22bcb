"""The reference engine, Clinical Reasoning in Java, in memory: java/EvaluateBenchmark.java."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.evaluate.patients import AS_OF, PROJECT
from benchmarks.evaluate.timing import Measured
from tools import maven

# What our decision holds. The first four are compared.
DEFINES = (
    "LUNG_Status",
    "LUNG_Failed",
    "LUNG_Unknown",
    "LUNG_Cautions",
    "LUNG_NotAssessable",
    "LUNG_Criteria",
    "Deceased",
    "Deceased_Date",
    "Patient_Notes",
)


def run(patients: Sequence[bytes], *, warm_up_s: float, seconds: float) -> Measured:
    """Measure the Java engine, with the machine's own choice of compiler and collector.

    Raises:
        tools.maven.JavaMissingError: no Java or no Maven.
    """
    class_path = maven.build(Path(__file__).with_name("java"))
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as file:
        file.write(b"\n".join(patients))
        file.flush()
        arguments = [str(PROJECT / "plan_definitions"), file.name, AS_OF, "LUNG", "0.1.0"]
        arguments += [",".join(DEFINES), str(warm_up_s), str(seconds)]
        said = subprocess.run(
            maven.java_command(class_path, "EvaluateBenchmark", arguments, options=()),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    lines = [line.split(" ", 1) for line in said.splitlines()]
    figures = {key: value for key, value in lines if key != "patient"}
    return Measured(
        answers=tuple(value for key, value in lines if key == "patient"),
        patients=int(figures["patients"]),
        seconds=float(figures["seconds"]),
    )
