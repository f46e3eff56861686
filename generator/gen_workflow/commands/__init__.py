"""The verbs of the command line: a file a verb, and the project that they work on."""
