"""What is deployed: locked dependencies with hashes, and the list of them for others (SBOM)."""
