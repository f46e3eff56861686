"""Whether a workflow is in step with its spec: the stamp, the hash of the generator, drift."""
