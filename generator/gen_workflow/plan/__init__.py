"""From a spec to its workflow, pure: a module a job, and what must exist on GitHub."""
