"""Developer tools: they build and check the knowledge, and never ship in the wheel."""
