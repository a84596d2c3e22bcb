"""Patient cases as data: `case.toml` and its base become a Bundle and an expected answer."""
