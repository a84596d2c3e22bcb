"""The codes the project may use, the value sets made of them, and the check of all others."""
