"""Kubernetes: how an API server is asked, how far a rollout is, and why it fails."""
