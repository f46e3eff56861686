"""The spec: its one declaration, and what comes from it: the reader, the schema, the docs."""
