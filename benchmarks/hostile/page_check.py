"""What a browser would make of a page: no element or attribute that the app did not write."""

from html.parser import HTMLParser

from benchmarks.hostile.record import CANARY


class _Look(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at an element."""
        if tag in ("script", "iframe", "object", "embed", "base") or CANARY in tag:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            address = (value or "").strip().lower()
            script = name in ("href", "src", "action", "formaction", "xlink:href", "style")
            wrong = script and address.startswith(("javascript:", "data:text", "vbscript:"))
            if name.startswith("on") or CANARY in name or wrong:
                self.found.append(f"{tag} {name}={address[:60]}")


def scripts_in(page: str) -> list[str]:
    """Return what in a page could run, or came from text as HTML; empty in a sound page."""
    look = _Look()
    look.feed(page)
    look.close()
    return look.found
