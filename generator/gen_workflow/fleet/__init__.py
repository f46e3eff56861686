"""Many repositories that are kept in step: which they are, what each should hold, what it holds."""
