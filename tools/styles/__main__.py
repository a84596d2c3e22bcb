"""`python -m tools.styles build|check`: the trimmed stylesheet of the design system.

`nhsuk-frontend.min.css` beside this file is the design system whole; the app serves of it what its
templates and pages name.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.styles.trim import names_in, trim

ROOT = Path(__file__).parents[2]
WHOLE = Path(__file__).parent / "nhsuk-frontend.min.css"
TRIMMED = ROOT / "smart_app" / "static" / "nhsuk-frontend" / "nhsuk-frontend.css"


def trimmed() -> str:
    """Return what the stylesheet should hold for the templates and pages as they are."""
    app = ROOT / "smart_app"
    files = [*app.glob("templates/*"), *app.glob("pages/*.py"), app / "static" / "pages.css"]
    return trim(WHOLE.read_text(encoding="utf-8"), names_in(sorted(files)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0 done, 1 stale."""
    parser = argparse.ArgumentParser(prog="python -m tools.styles", description=__doc__)
    parser.add_argument("command", choices=["build", "check"])
    command = parser.parse_args(arguments).command
    if command == "build":
        TRIMMED.write_text(trimmed(), encoding="utf-8")
        print(f"{TRIMMED.name}: {TRIMMED.stat().st_size} of {WHOLE.stat().st_size} bytes")
        return 0
    if not TRIMMED.exists() or TRIMMED.read_text(encoding="utf-8") != trimmed():
        print(f"{TRIMMED.name} is stale: run `make styles`", file=sys.stderr)
        return 1
    print("styles: as the templates ask")
    return 0


if __name__ == "__main__":
    sys.exit(main())
