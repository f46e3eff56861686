"""Container images: references, tags, registries, logins. Knows nothing of the actions."""
