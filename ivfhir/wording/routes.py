"""Into a vein or into the target's artery: what the rule of the route says, in words (B.7)."""

ROUTES = {
    "systemic-intravenous": (
        "Drugs into a vein",
        "The disease is disseminated: regional therapy is contraindicated as the main treatment.",
    ),
    "undetermined": (
        "Route not determined",
        "The extent of the disease must be recorded first.",
    ),
    "targeted-intra-arterial": (
        "Drugs into the target's artery",
        "The disease is limited, and a protocol of regional therapy fits.",
    ),
    "regional-considered-not-cleared": (
        "Regional therapy considered, not cleared",
        "No dissemination is known, but no protocol of regional therapy is cleared; each says why.",
    ),
}
"""Code of the route -> heading and text."""
