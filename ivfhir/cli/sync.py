"""`ivfhir sync`: care plans, or the definitions, to FHIR servers."""

import argparse
import secrets
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ivfhir.errors import UsageError
from ivfhir.fhir.json import dumps
from ivfhir.fhir.outcome import issues_of, words_of
from ivfhir.sync.decision import CONFLICT, PARKED
from ivfhir.sync.deliver import Outcome
from ivfhir.sync.knowledge import definitions, sync_to_all
from ivfhir.sync.ledger import NAME, Ledger
from ivfhir.sync.plans import read_plans
from ivfhir.sync.run import Target, Watcher, sync_plans
from ivfhir.sync.servers import connector, find_servers

FOUND = 6
KNOWLEDGE = "knowledge"
_LONGEST = 300
_HEADS = ("PLAN", "TO", "RESULT", "REFERENCE", "WHY")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ivfhir sync`."""
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        help="files or folders with CarePlans; or the word knowledge, for the definitions",
    )
    parser.add_argument(
        "--to",
        metavar="URL|NAME",
        action="append",
        required=True,
        help="a server's FHIR address, or the name of a [[server]]; may be repeated",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would become of each plan; write nothing"
    )
    parser.add_argument(
        "--at-most",
        metavar="SHARE",
        type=_share,
        help="from 0 to 1: send nothing if more than that share would change",
    )
    parser.add_argument(
        "--connections", metavar="N", type=_count, default=4, help="to each server; 4 by default"
    )
    parser.add_argument(
        "--ledger", metavar="FILE", type=Path, help=f"what was sent; {NAME} beside the input"
    )
    parser.add_argument(
        "--download",
        metavar="DIR",
        type=Path,
        help="where plans go, as Bundle and PDF, for a server that takes neither CarePlan nor "
        "document",
    )
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="settings with [[server]]; ivfhir.toml here"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    """Print what became of each plan on each server; return 6 for conflicts and parked plans.

    Raises:
        IvfhirError: usage, input that cannot be read, or no server that answers.
    """
    if arguments.paths == [KNOWLEDGE]:
        return _knowledge(arguments)
    paths = [Path(word) for word in arguments.paths]
    servers = find_servers(arguments.to, arguments.config)
    plans, notes = read_plans(paths)
    for note in notes:
        print(f"ivfhir: {note}", file=sys.stderr)
    first = paths[0]
    at = arguments.ledger or (first if first.is_dir() else first.parent) / NAME
    ledger = Ledger.copy_of(at) if arguments.dry_run else Ledger(at)
    connectors = [(server, connector(server)) for server in servers]
    targets = [
        Target(
            server.name,
            connect,
            ledger,
            server.profile,
            scope=connect.scope,
            address=connect.address,
            folder=arguments.download,
        )
        for server, connect in connectors
    ]
    with closing(ledger), _interruptible(), _progress(len(plans) * len(targets)) as watch:
        outcomes = sync_plans(
            plans,
            targets,
            random=secrets.SystemRandom().random,
            dry_run=arguments.dry_run,
            at_most=arguments.at_most,
            connections=arguments.connections,
            watch=watch,
        )
    if arguments.format == "json":
        print(dumps([outcome.as_json() for outcome in outcomes], indent=2))
    else:
        print("\n".join(_text(outcomes)))
    return FOUND if any(each.result in (CONFLICT, PARKED) for each in outcomes) else 0


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        print(
            "ivfhir: Stopped before the end; run the same line again, and it goes on.",
            file=sys.stderr,
        )
        raise


def _knowledge(arguments: argparse.Namespace) -> int:
    resources = definitions()
    servers = find_servers(arguments.to, arguments.config)
    sent = sync_to_all(
        [(server.name, connector(server)) for server in servers],
        resources,
        dry_run=arguments.dry_run,
        at_most=arguments.at_most,
    )
    first = next((each.error for each in sent), None)
    if first is not None and not any(each.is_answered for each in sent):
        raise first
    if arguments.format == "json":
        print(dumps([each.as_json() for each in sent], indent=2))
    else:
        rows = [(each.canonical, each.to, each.result, each.reference, each.why) for each in sent]
        print("\n".join(_table(("DEFINITION", *_HEADS[1:]), rows)))
        print(_counted([each.result for each in sent]))
    return FOUND if any(each.result == PARKED for each in sent) else 0


def _text(outcomes: list[Outcome]) -> Iterator[str]:
    """Yield what differs, then the table, then the count."""
    for each in outcomes:
        for line in _merged_lines(each.differences):
            yield f"{each.plan} on {each.to}: {line}"
    rows = [
        (each.plan, each.to, each.result, next(iter(each.references), ""), _why(each))
        for each in outcomes
    ]
    yield from _table(_HEADS, rows)
    yield _counted([each.result for each in outcomes])


def _merged_lines(differences: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each difference; those of which the same is said share one."""
    alike: dict[str, list[str]] = {}
    for each in differences:
        if "text" in each and "element" not in each:
            alike.setdefault(each["text"], []).append(str(each.get("reference", "")))
        else:
            yield _line(each)
    for text, references in alike.items():
        more = f" and {len(references) - 1} more" if len(references) > 1 else ""
        yield f"{references[0]}{more}: {text}" if references[0] else text


def _line(values: Mapping[str, Any]) -> str:
    words = [str(values.get("reference", "")), str(values.get("element", ""))]
    said = [str(values["text"])] if "text" in values else []
    said += [
        f"{name} {dumps(values[name])}" for name in ("sent", "theirs", "ours") if name in values
    ]
    return f"{' '.join(word for word in words if word)} {'; '.join(said)}".strip()


def _why(outcome: Outcome) -> str:
    """Return why, in a line: our sentence, then what the server said first."""
    said = (" ".join(words_of(each).split()) for each in issues_of(outcome.outcome)[:2])
    return " ".join(each if len(each) <= _LONGEST else f"{each[:_LONGEST]}…" for each in said)


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()


def _counted(results: list[str]) -> str:
    counts = Counter(results)
    return f"{len(results)}: {', '.join(f'{count} {name}' for name, count in counts.items())}"


@contextmanager
def _progress(total: int) -> Iterator[Watcher | None]:
    """Show how far a run is, on a terminal that has rich; nowhere else."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn  # noqa: PLC0415
    except ModuleNotFoundError:
        yield None
        return
    columns = (BarColumn(), MofNCompleteColumn(), "{task.fields[rate]}", TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total, rate="")

        def watch(outcome: Outcome) -> None:
            speed = progress.tasks[0].speed
            rate = "" if speed is None else f"{speed:.1f} plans/s"
            progress.update(task, advance=1, rate=rate)

        yield watch


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"--at-most {text} is no share from 0 to 1, such as 0.2.")
    return share


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:  # noqa: PLR2004 - a server has many clients
        raise UsageError(f"--connections {text} is no number from 1 to 64.")
    return int(text)
