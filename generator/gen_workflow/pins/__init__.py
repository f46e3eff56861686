"""The releases of actions that rendered workflows use: the table."""
