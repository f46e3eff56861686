"""GitHub's workflow as records: no YAML and no templates."""
