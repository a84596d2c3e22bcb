"""Which keys protocol.toml and plan.toml have, and of what kind their values are.

A kind that ends in `!` is a key that must be there.
"""

PROTOCOL = {
    **dict.fromkeys(("id", "version", "title", "short_title", "focus", "purpose"), "text!"),
    "date": "date!",
    "called": "text",
    "always_said": "table!",
    "evidence": "table!",
    "activity": "table!",
    **dict.fromkeys(("parameter", "texts", "gates", "stops", "exits", "rules"), "table"),
    **dict.fromkeys(("goals", "readings", "seeds", "statements", "sources"), "table"),
}
EVIDENCE = {"quality": "text!", "recommendation": "text!"}
CHOICE = {
    "label": "text!",
    **dict.fromkeys(("called", "hint", "setting"), "text"),
    "options": "table!",
    "in_sight": "flag",
}
WORDS = {"label": "text!", "words": "flag!", "setting": "text"}
PARAMETER = {
    "label": "text!",
    **dict.fromkeys(("called", "hint", "unit", "setting", "setting_when_zero"), "text"),
    "default": "number!",
    **dict.fromkeys(("choices", "between"), "numbers"),
    **dict.fromkeys(("fixed", "in_sight"), "flag"),
}
TEXT = {"text": "text!", "when_zero": "text", "in_general": "text"}
GATE = {"text": "text!", "asked": "text"}
GOAL = {
    **dict.fromkeys(("text", "measure"), "text!"),
    **dict.fromkeys(("category", "wanted", "unit"), "text"),
    **dict.fromkeys(("at_least", "at_most"), "number"),
    "sources": "texts",
}
SEED = dict.fromkeys(("cites", "named", "file"), "text!")
SOURCE = {"cites": "text!", "here": "text", "url": "text"}
ACTIVITY = {
    **dict.fromkeys(("title", "description", "lane"), "text!"),
    **dict.fromkeys(("kind", "coded", "in_words", "product", "route", "dosage"), "text"),
    **dict.fromkeys(("in_general", "who", "body_site", "order"), "text"),
    "sources": "texts!",
    "tells": "tables",
}
TELLS = {"says": "text!", "from": "text!", "in_general": "text"}
PLAN = {
    "sources": "texts!",
    "rounds": "table",
    "part": "tables!",
    "action": "tables!",
    "defines": "table",
}
ROUNDS = {
    **dict.fromkeys(("word", "part"), "text!"),
    **dict.fromkeys(("count", "interval"), "text or table!"),
    **dict.fromkeys(("by", "first"), "text"),
}
PART = {
    **dict.fromkeys(("id", "title", "description"), "text!"),
    **dict.fromkeys(("in_general", "quality", "recommendation"), "text"),
    **dict.fromkeys(("stops", "says"), "texts"),
    "sources": "texts!",
}
ROUND = {**{key: kind for key, kind in PART.items() if key != "id"}, "numbers": "numbers!"}
ACTION = {
    **dict.fromkeys(("id", "title", "description"), "text!"),
    **dict.fromkeys(("activity", "part", "short_title", "description_first"), "text"),
    **dict.fromkeys(("in_general", "from", "not_before", "required", "stands_for"), "text"),
    **dict.fromkeys(("lane", "mark"), "text"),
    "days": "days!",
    "regimen_days": "numbers",
    "times": "number",
    "every": "number or text",
    **dict.fromkeys(("only_if", "only_if_says", "quality", "recommendation"), "text"),
    "regimen": "text",
    **dict.fromkeys(("relations", "gates", "answers", "says", "goals", "sources"), "texts"),
    **dict.fromkeys(("on_board", "bar", "opens"), "flag"),
}
