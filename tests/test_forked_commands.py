"""A command that does not end is killed, and told."""

import argparse
import time

import pytest

from ivfhir.cli import protocols
from tests.forked_commands import forked_commands


def never_end() -> None:
    """Let `ivfhir protocols` go on without end."""

    def run(_: argparse.Namespace) -> int:
        time.sleep(3600)
        return 0

    protocols.run = run


def test_a_command_that_does_not_end_is_killed_and_told() -> None:
    with forked_commands("tests.test_forked_commands:never_end") as commands:
        endless = commands.start("protocols")
        with pytest.raises(TimeoutError, match=f"{endless.pid} had not ended after 0.2 s"):
            endless.wait(timeout_s=0.2)
        assert commands.start("protocols", "--nonsense").wait() == 2
