"""Build a small Java program of this project with Maven, once for each state of its sources."""

import fcntl
import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

INSTALL = "apt-get install -y maven openjdk-17-jdk-headless"
NEEDED_JAVA = 17
_DOWNLOADS = Path.home() / ".m2"
# A program that lives for seconds starts faster with the quick compiler and the simple collector.
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class JavaMissingError(RuntimeError):
    """A JDK of version 17 or newer, or Maven, is not installed."""


def missing_java() -> str | None:
    """Return None when a fit JDK and Maven are here, else one sentence that says how to install."""
    javac = shutil.which("javac")
    version = None
    if javac and shutil.which("java") and shutil.which("mvn"):
        said = subprocess.run([javac, "-version"], capture_output=True, text=True, check=False)
        found = re.search(r"javac (\d+)", said.stdout + said.stderr)
        version = int(found.group(1)) if found else None
    if version is not None and version >= NEEDED_JAVA:
        return None
    return f"needs Java {NEEDED_JAVA} and Maven: {INSTALL}"


def build(project: Path) -> str:
    """Package a Maven project, once for each state of its sources.

    Args:
        project: folder with pom.xml; its sources stand beside it. Each state has its own folder
            below target/, so that a program that is running keeps its classes.

    Returns:
        The class path to run it with.

    Raises:
        JavaMissingError: no fit JDK or no Maven; the message says how to install them.
        RuntimeError: the build failed; the message holds Maven's output.
    """
    target = project / "target"
    target.mkdir(exist_ok=True)
    state = _state_of(project)
    complete = target / state / "complete"
    # Two test runs at once must not package into the same folder.
    with _locked(target / "lock"):
        if not complete.is_file():
            _DOWNLOADS.mkdir(parents=True, exist_ok=True)
            # Nor may two projects at once download the same file: Maven 3 does not lock its own.
            with _locked(_DOWNLOADS / "ivfhir.lock"):
                _package(project, state)
            complete.touch()
    return f"{complete.parent}/*:{complete.parent}/lib/*"


def java_command(
    class_path: str,
    main_class: str,
    arguments: Sequence[str] = (),
    *,
    options: Sequence[str] = QUICK_START,
) -> list[str]:
    """Return the command line of a built program; `options` are those of the Java machine."""
    return ["java", *options, "-cp", class_path, main_class, *arguments]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file, for this process alone, while the block runs."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _package(project: Path, state: str) -> None:
    if problem := missing_java():
        raise JavaMissingError(problem)
    run = subprocess.run(
        ["mvn", "-q", "-B", "-f", str(project / "pom.xml"), f"-Dstate={state}", "package"],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise RuntimeError(f"Maven could not build {project}:\n{run.stdout}{run.stderr}")


def _state_of(project: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(project.rglob("*")):
        inside = path.relative_to(project)
        if path.suffix in {".java", ".xml"} and inside.parts[0] != "target":
            digest.update(f"{inside}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]
