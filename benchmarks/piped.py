"""A program in a process of its own that is asked over its input and answers over its output."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO


@contextmanager
def piped(command: Sequence[str], *, silent: bool = False) -> Iterator[tuple[IO[str], IO[str]]]:
    """Start a program, and yield what it reads and what it says; it ends with the block.

    Args:
        command: program and arguments.
        silent: what it complains of is not shown.
    """
    errors = subprocess.DEVNULL if silent else None
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        yield program.stdin, program.stdout
        program.stdin.close()
