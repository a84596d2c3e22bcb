"""`python -m tools.knowledge build`, `check` and `regimens FOLDER`.

build: write what protocol.toml and plan.toml give, translate the CQL (needs Java and Maven), write
ELM, Library and ValueSet files.
regimens FOLDER: build the regimens of a site's overlay from their TOML, with our drugs and sources.
check: fail, naming the files, when a committed one is not what its sources give.
"""

import argparse
import os
import sys
from pathlib import Path

from tools import maven
from tools.knowledge import lock, stale, translate
from tools.knowledge.authoring import authored_files
from tools.knowledge.authoring.regimen import regimen_files
from tools.knowledge.layout import Layout
from tools.knowledge.library import library_files
from tools.knowledge.value_set import value_set_files


def main(arguments: list[str] | None = None, layout: Layout | None = None) -> int:
    """Run one command; return the exit status: 0 done, 1 stale or not translatable."""
    parser = argparse.ArgumentParser(prog="python -m tools.knowledge", description=__doc__)
    parser.add_argument("command", choices=["build", "check", "regimens"])
    parser.add_argument("folder", nargs="?", type=Path, help="of a site's regimens")
    given = parser.parse_args(arguments)
    command, layout = given.command, layout or Layout()
    if (command == "regimens") != (given.folder is not None):
        parser.error("regimens takes a folder, and nothing else does")
    try:
        if command == "regimens":
            return build_regimens(layout, given.folder)
        return build(layout) if command == "build" else check(layout)
    except (translate.TranslationError, maven.JavaMissingError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


def build(layout: Layout) -> int:
    """Write every derived file and remove those that no source gives any more."""
    authored = dict(authored_files(layout))
    for path, content in authored.items():
        path.write_bytes(content)
    print(translate.translate(layout), end="")
    lock.write_lock(layout)
    built = dict([*library_files(layout), *value_set_files(layout)])
    for path, content in built.items():
        path.write_bytes(content)
    for path in stale.orphans(layout, {*authored, *built}):
        path.unlink()
    print(f"{len(authored)} files from rows, {len(built)} Library and ValueSet files")
    return 0


def build_regimens(layout: Layout, folder: Path) -> int:
    """Write the PlanDefinition of each regimen of a folder beside its TOML."""
    built = dict(regimen_files(layout, folder))
    for path, content in built.items():
        path.write_bytes(content)
    print(f"{len(built)} regimens")
    return 0


def check(layout: Layout) -> int:
    """Print each stale file; where CI is true, Java must be here to translate again."""
    retranslate = stale.can_retranslate() or os.environ.get("CI") == "true"
    problems = list(stale.stale_files(layout, retranslate=retranslate))
    for problem in problems:
        print(problem, file=sys.stderr)
    how = "translated again" if retranslate else f"not translated again: {maven.missing_java()}"
    print(f"knowledge: {len(problems)} stale files ({how})")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
