"""A real Kubernetes for tests: see `Cluster`."""
