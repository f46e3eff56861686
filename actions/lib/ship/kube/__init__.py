"""Kubernetes: access through kubectl, the state of a rollout, and why it does not go on."""
