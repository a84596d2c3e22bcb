"""The words of the command line; nothing heavy is imported until a subcommand runs."""

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

from ivfhir.errors import UsageError

SRC = "a file (one resource, a Bundle, NDJSON), a folder, or a server's address …/Patient/ID"
TIMES = "2025-03-03 (its last millisecond in IVFHIR_TIME_ZONE) or 2025-03-03T10:30:00+01:00"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, as every other error does."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help.")


class _Version(argparse.Action):
    """Looks the version up when it is asked for: the look-up costs more than all other words."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> NoReturn:
        print(f"ivfhir {import_module('importlib.metadata').version('ivfhir')}")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; parsed arguments carry `run`, which takes them and returns the code."""
    parser = _Parser(
        prog="ivfhir",
        description="Treatment protocols of interventional oncology as computable FHIR. "
        "Draft, not for clinical use.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_evaluate(commands)
    _add_apply(commands)
    _add_protocols(commands)
    return parser


def _add_evaluate(commands: Any) -> None:  # noqa: ANN401 - argparse names no public type
    parser = commands.add_parser(
        "evaluate",
        help="answer every criterion of the protocols for a patient",
        description="Answer every criterion of the protocols for a patient, with its grounds.",
        allow_abbrev=False,
    )
    _add_patient(parser)
    parser.add_argument(
        "--protocol",
        metavar="ID",
        action="append",
        help="id, canonical url|version, file or folder; may be repeated; all by default",
    )
    parser.add_argument("--format", choices=("json", "text"), default="json")
    parser.set_defaults(run=_runner("evaluate"))


def _add_apply(commands: Any) -> None:  # noqa: ANN401 - argparse names no public type
    parser = commands.add_parser(
        "apply",
        help="draft the plan of a protocol for a patient",
        description="Draft the plan of a protocol for a patient ($apply).",
        allow_abbrev=False,
    )
    parser.add_argument(
        "definition", metavar="DEFINITION", help="id, canonical url|version, file or folder"
    )
    _add_patient(parser)
    parser.add_argument("--start", metavar="DATE", required=True, help="day 0 of the plan")
    parser.add_argument(
        "--param",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a parameter of the protocol; may be repeated",
    )
    parser.add_argument(
        "--override-reason",
        metavar="TEXT",
        help="why a plan is wanted although the protocol's status is not eligible",
    )
    parser.add_argument("--format", choices=("careplan", "bundle", "text"), default="careplan")
    parser.set_defaults(run=_runner("apply"))


def _add_protocols(commands: Any) -> None:  # noqa: ANN401 - argparse names no public type
    parser = commands.add_parser(
        "protocols",
        help="list the protocols",
        description="List the protocols: id, version, status, strength of evidence, title.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=_runner("protocols"))


def _add_patient(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--patient", metavar="SRC", required=True, help=SRC)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--id", metavar="ID", help="which patient, when SRC holds several")
    which.add_argument(
        "--all", action="store_true", help="every patient of SRC, one JSON document a line"
    )
    parser.add_argument("--as-of", metavar="DATE", help=f"{TIMES}; now by default")


def _runner(command: str) -> Callable[[argparse.Namespace], int]:
    """Return what imports the subcommand's module and runs it."""

    def run(arguments: argparse.Namespace) -> int:
        code: int = import_module(f"ivfhir.cli.{command}").run(arguments)
        return code

    return run
