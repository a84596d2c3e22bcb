"""The rules of authoring, a file a subject; each yields findings as sentences."""
