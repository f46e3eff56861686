"""The actions that workflows use: where they are named, and how they move to newer releases."""
