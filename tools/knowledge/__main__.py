"""`python -m tools.knowledge build` and `python -m tools.knowledge check`.

build: write what protocol.toml and plan.toml give, translate the CQL (needs Java and Maven), write
ELM, Library and ValueSet files.
check: fail, naming the files, when a committed one is not what its sources give.
"""

import argparse
import os
import sys

from tools import maven
from tools.knowledge import lock, stale, translate
from tools.knowledge.authoring import authored_files
from tools.knowledge.layout import Layout
from tools.knowledge.library import library_files
from tools.knowledge.value_set import value_set_files


def main(arguments: list[str] | None = None, layout: Layout | None = None) -> int:
    """Run one command; return the exit status: 0 done, 1 stale or not translatable."""
    parser = argparse.ArgumentParser(prog="python -m tools.knowledge", description=__doc__)
    parser.add_argument("command", choices=["build", "check"])
    command = parser.parse_args(arguments).command
    layout = layout or Layout()
    try:
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
