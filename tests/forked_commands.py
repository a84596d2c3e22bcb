"""`ivfhir ...`, in a process of its own each time, forked from one that has imported what it needs.

What is forked is the command itself, and it can be killed as such; only its imports are saved, and
what else the process that forks has done before.

`python -m tests.forked_commands WHAT...` is that process, WHAT a module or a function of one,
`module:function`. Each line on standard input is a command as JSON, the answer two lines: the id of
the new process, and how it ended.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from signal import SIGKILL
from threading import Event, Timer

from ivfhir.cli.main import main


@dataclass(frozen=True)
class Running:
    """A command that runs.

    Attributes:
        pid: the id of its process.
    """

    pid: int
    _forking: subprocess.Popen[str]

    def kill(self) -> None:
        """Kill it at once."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, SIGKILL)

    def poll(self) -> int | None:
        """Return None while it runs, and 0 once it has ended, however that was."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, 0)
            return None
        return 0

    def wait(self, timeout_s: float = 120) -> int:
        """Wait for its end and return how it was; the number of a signal is negative.

        Raises:
            TimeoutError: it did not end in time, and was killed.
        """
        late = Event()
        timer = Timer(timeout_s, lambda: (late.set(), self.kill()))
        timer.start()
        ended = _told(self._forking)
        timer.cancel()
        if late.is_set():
            said = f"process {self.pid} had not ended after {timeout_s} s and was killed"
            raise TimeoutError(said)
        return ended


@dataclass(frozen=True)
class Commands:
    """Starts commands, one after the other ended."""

    _forking: subprocess.Popen[str]

    def start(self, *words: str, out: Path | None = None, err: Path | None = None) -> Running:
        """Start a command.

        Args:
            words: what follows `ivfhir`.
            out: a file for what it prints; nowhere by default.
            err: a file for what it prints on standard error; nowhere by default.
        """
        assert self._forking.stdin is not None
        files = [str(file or os.devnull) for file in (out, err)]
        self._forking.stdin.write(json.dumps([words, *files]) + "\n")
        self._forking.stdin.flush()
        return Running(_told(self._forking), self._forking)


@contextmanager
def forked_commands(*before: str) -> Iterator[Commands]:
    """Run what starts commands while the block runs.

    Args:
        before: modules that are imported before, `module:function` also called.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.forked_commands", *before],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Commands(process)
    finally:
        process.communicate(timeout=60)


def serve(before: list[str]) -> None:
    """Import and call what comes before, then fork a command for each line."""
    for what in before:
        name, _, function = what.partition(":")
        module = import_module(name)
        if function:
            getattr(module, function)()
    for line in sys.stdin:
        words, out, err = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setsid()  # A command with processes of its own is killed with all of them.
            for number, file in ((1, out), (2, err)):
                os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            os._exit(main(words))
        _tell(child)
        _, status = os.waitpid(child, 0)
        _tell(os.waitstatus_to_exitcode(status))


def _told(forking: subprocess.Popen[str]) -> int:
    assert forking.stdout is not None
    return int(forking.stdout.readline())


def _tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(sys.argv[1:])
