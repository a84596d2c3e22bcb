"""Many clinicians at once: what a page costs beyond its reads, and whether memory stays flat."""
