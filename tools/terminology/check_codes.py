"""Check every medical code in JSON files against codes.csv: codes seen in public sources.

`python -m tools.terminology.check_codes PATH...` reads folders (every *.json below) and files.
Reported:

  absent    the system is covered by codes.csv, the code is not in it
  display   the code is in the table under another display (case and white space do not matter)

Codings of HL7's own systems and of local ones are left alone. The table itself is checked too.
"""

import argparse
import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tools.terminology.used_codes import UsedCode, used_codes

TABLE = Path(__file__).with_name("codes.csv")
COLUMNS = ["concept", "category", "system", "code", "display", "evidence", "notes"]
NEEDED = COLUMNS[:-1]
SKIPPED_FOLDERS = {"node_modules", "__pycache__", "target"}

Row = dict[str, str]
Table = dict[tuple[str, str], set[str]]


def read_rows(path: Path = TABLE) -> list[Row]:
    """Return the rows of the table of codes."""
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def displays_by_code(rows: Iterable[Row]) -> Table:
    """Return the displays seen with each (system, code)."""
    table: Table = {}
    for row in rows:
        table.setdefault((row["system"], row["code"]), set()).add(row["display"])
    return table


def table_problems(rows: Sequence[Row]) -> Iterator[str]:
    """Yield what is wrong with the table itself: a gap, a repeat, two displays of one code."""
    seen: set[tuple[str, ...]] = set()
    displays: dict[tuple[str, str], str] = {}
    for line, row in enumerate(rows, 2):
        if list(row) != COLUMNS or None in row.values():
            yield f"codes.csv line {line}: the columns are not {', '.join(COLUMNS)}"
            continue
        for column in NEEDED:
            if not row[column].strip():
                yield f"codes.csv line {line}: no {column}"
        key = (row["concept"], row["system"], row["code"])
        if key in seen:
            yield f"codes.csv line {line}: repeats {'|'.join(key)}"
        seen.add(key)
        first = displays.setdefault((row["system"], row["code"]), row["display"])
        if _plain(first) != _plain(row["display"]):
            yield f"codes.csv line {line}: {row['code']} has two displays"


def code_problem(used: UsedCode, table: Table, covered: set[str]) -> str | None:
    """Return what is wrong with a code in use, None when nothing is."""
    if used.system not in covered:
        return None
    token = f"{used.system}|{used.code}"
    wanted = table.get((used.system, used.code))
    if wanted is None:
        return f"{used.where}: absent: {token}"
    if used.display is not None and _plain(used.display) not in map(_plain, wanted):
        listed = " or ".join(repr(display) for display in sorted(wanted))
        return f"{used.where}: display: {token} is {used.display!r} here, {listed} in the table"
    return None


def json_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield each file, and each *.json below each folder, hidden and built ones left out."""
    for path in paths:
        if path.is_file():
            yield path
            continue
        for file in sorted(path.rglob("*.json")):
            parts = file.relative_to(path).parts
            if not any(part in SKIPPED_FOLDERS or part.startswith(".") for part in parts):
                yield file


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the table and the given paths; return 1 when there is a problem, 2 for a wrong path."""
    parser = argparse.ArgumentParser(prog="check_codes", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument(
        "--third-party",
        action="append",
        default=[],
        metavar="PATTERN",
        help="leave out files of others, kept as they came: their codes are not our choice",
    )
    options = parser.parse_args(arguments)
    paths = options.paths
    if missing := [str(path) for path in paths if not path.exists()]:
        print(f"no such path: {', '.join(missing)}", file=sys.stderr)
        return 2
    rows = read_rows()
    problems = list(table_problems(rows))
    table = displays_by_code(rows)
    covered = {system for system, _ in table}
    files = checked = 0
    for file in json_files(paths):
        if any(file.match(pattern) for pattern in options.third_party):
            continue
        files += 1
        for used in used_codes(json.loads(file.read_text(encoding="utf-8-sig")), covered):
            checked += used.system in covered
            if problem := code_problem(used, table, covered):
                problems.append(f"{file}: {problem}")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"codes: {checked} in {files} files, {len(problems)} problems")
    return 1 if problems else 0


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().casefold()


if __name__ == "__main__":
    sys.exit(main())
