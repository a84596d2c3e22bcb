"""The words of the command line; a subcommand is imported when it is named."""

import argparse
import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from ivfhir.errors import UsageError

OVERLAY_VARIABLE = "IVFHIR_OVERLAY"
"""The environment variable that names the folder of the site's overlay."""

COMMANDS = {
    "evaluate": ("ivfhir.cli.evaluate", "answer every criterion of the protocols for a patient"),
    "apply": ("ivfhir.cli.apply", "draft the plan of a protocol for a patient"),
    "protocols": ("ivfhir.cli.protocols", "list the protocols"),
    "calc": ("ivfhir.cli.calc", "calculate a body surface, a clearance, a score, a response"),
    "validate": ("ivfhir.cli.validate", "check resources against FHIR R4's own definitions"),
    "fhirpath": ("ivfhir.cli.fhirpath", "evaluate a FHIRPath expression on a resource"),
    "sync": ("ivfhir.cli.sync", "bring care plans, or the definitions, to FHIR servers"),
    "serve": ("smart_app.serve", "serve the SMART app to the configured EHRs"),
    "worker": ("smart_app.worker", "send accepted plans that wait for their EHR"),
    "outbox": ("smart_app.outbox_command", "list, show, retry or drop plans that wait to be sent"),
    "db": ("smart_app.db", "upgrade the app's database, or tell its version"),
    "audit": ("smart_app.audit_command", "list, export or prove the app's audit trail"),
    "fake-ehr": ("smart_app.fake_ehr.serve", "simulate an EHR in front of a FHIR server"),
}
"""Subcommand → the module that has its `add_arguments` and `run`, and its help."""
LASTING = ("serve", "worker", "fake-ehr")
"""Subcommands that run until they are stopped."""

SRC = "a file (one resource, a Bundle, NDJSON), a folder, or a server's address …/Patient/ID"
TIMES = "2025-03-03 (its last millisecond in IVFHIR_TIME_ZONE) or 2025-03-03T10:30:00+01:00"


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, as every other error does."""

    def error(self, message: str) -> NoReturn:
        """Raise the message as a UsageError."""
        raise UsageError(f"{message}; see {self.prog} --help.")


class _CommandParser(Parser):
    """The parser of a subcommand: its module is imported, and tells its options, on first use."""

    def __init__(self, *, module: str, **words: Any) -> None:  # noqa: ANN401 - argparse's own
        super().__init__(allow_abbrev=False, **words)
        self._module: str | None = module

    def parse_known_args(  # type: ignore[override]  # argparse declares overloads of this
        self,
        args: Sequence[str] | None = None,
        namespace: Any = None,  # noqa: ANN401 - argparse's own
    ) -> tuple[Any, list[str]]:
        if self._module is not None:
            module = self._import(self._module)
            self._module = None
            module.add_arguments(self)
            self.set_defaults(run=module.run)
        return super().parse_known_args(args, namespace)

    def _import(self, name: str) -> Any:  # noqa: ANN401 - a module with add_arguments and run
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            if name.startswith("ivfhir.") or (error.name or "").startswith("ivfhir"):
                raise
            raise UsageError(
                f"{self.prog} needs the app, which is not installed: pip install 'ivfhir[app]'."
            ) from None


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
    """Return the parser.

    Parsed arguments carry `run`, which takes them and returns the code, and whether it lasts.
    """
    parser = Parser(
        prog="ivfhir",
        description="Treatment protocols of interventional oncology as computable FHIR. "
        "Draft, not for clinical use.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", parser_class=_CommandParser
    )
    for name, (module, explained) in COMMANDS.items():
        about = f"{explained[0].upper()}{explained[1:]}."
        command = commands.add_parser(name, help=explained, description=about, module=module)
        command.set_defaults(lasting=name in LASTING)
    return parser


def add_overlay(parser: argparse.ArgumentParser) -> None:
    """Declare `--overlay`."""
    parser.add_argument(
        "--overlay",
        metavar="DIR",
        default=os.environ.get(OVERLAY_VARIABLE),
        help=f"folder of the site's overlay; {OVERLAY_VARIABLE} by default",
    )


def add_patient(parser: argparse.ArgumentParser) -> None:
    """Declare whom and when: `--patient`, `--id`, `--all`, `--as-of`."""
    parser.add_argument("--patient", metavar="SRC", required=True, help=SRC)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--id", metavar="ID", help="which patient, when SRC holds several")
    which.add_argument(
        "--all", action="store_true", help="every patient of SRC, one JSON document a line"
    )
    parser.add_argument("--as-of", metavar="DATE", help=f"{TIMES}; now by default")
