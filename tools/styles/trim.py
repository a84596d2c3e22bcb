"""Keep of a stylesheet only the rules that can apply to a set of class names."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import tinycss2
from tinycss2.ast import AtRule, IdentToken, LiteralToken, Node, ParenthesesBlock, QualifiedRule

_NAME = re.compile(r"nhsuk-[\w@-]+")
_STATE_ALIASES = frozenset({":hover", ":focus", ":active"})
"""Classes by which the design system shows states in its own documentation."""

Uses = Callable[[str], bool]


def names_in(files: Iterable[Path]) -> Uses:
    """Return a test whether a class of the design system is named in one of the files.

    A name that a template completes (`nhsuk-input--width-{{ width }}`) stands for all that begin
    so.
    """
    found = {name for file in files for name in _NAME.findall(file.read_text(encoding="utf-8"))}
    whole = frozenset(name for name in found if not name.endswith("-"))
    begun = tuple(name for name in found if name.endswith("-"))
    return lambda name: name in whole or name.startswith(begun)


def trim(text: str, uses: Uses) -> str:
    """Return the stylesheet without the rules that no element of our pages can match.

    A selector stays when each class that it asks for is used; what stands inside `:not(…)` asks
    for nothing. Rules for elements stay. At-rules that hold no rule any more go.

    Args:
        text: CSS.
        uses: whether a class name is used.
    """
    rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    return "".join(_kept(rules, uses))


def _kept(rules: Iterable[Node], uses: Uses) -> Iterable[str]:
    for rule in rules:
        if isinstance(rule, QualifiedRule):
            yield from _kept_rule(rule, uses)
        elif isinstance(rule, AtRule) and rule.lower_at_keyword in ("media", "supports"):
            content = tinycss2.parse_rule_list(
                rule.content or [], skip_comments=True, skip_whitespace=True
            )
            inner = "".join(_kept(content, uses))
            if inner:
                head = tinycss2.serialize(rule.prelude).strip()
                yield f"@{rule.lower_at_keyword} {head}{{{inner}}}\n"
        else:
            yield rule.serialize() + "\n"


def _kept_rule(rule: QualifiedRule, uses: Uses) -> Iterable[str]:
    selectors = [each for each in _selectors(rule.prelude) if all(map(uses, _classes(each)))]
    if selectors:
        head = ",".join(tinycss2.serialize(selector).strip() for selector in selectors)
        yield f"{head}{{{tinycss2.serialize(rule.content).strip()}}}\n"


def _selectors(prelude: list[Node]) -> list[list[Node]]:
    """Return the selectors of a rule, split at its commas."""
    selectors: list[list[Node]] = [[]]
    for token in prelude:
        if isinstance(token, LiteralToken) and token.value == ",":
            selectors.append([])
        else:
            selectors[-1].append(token)
    return selectors


def _classes(selector: list[Node]) -> Iterable[str]:
    """Yield the classes that an element, or one around it, must have for the selector to match."""
    for before, token in zip([None, *selector], selector, strict=False):
        is_class = isinstance(before, LiteralToken) and before.value == "."
        if is_class and isinstance(token, IdentToken) and token.value not in _STATE_ALIASES:
            yield token.value
        elif isinstance(token, ParenthesesBlock):
            yield from _classes(token.content)
