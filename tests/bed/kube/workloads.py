"""Workloads for tests, as plain data; kubectl takes JSON as it takes YAML."""

from __future__ import annotations

from typing import Any

PORT = 8080


def deployment(
    name: str, image: str, *, replicas: int = 1, probe: bool = True, pull_secret: str = ""
) -> dict[str, Any]:
    """Return a Deployment whose pods end quickly. Without `probe`, what runs counts as ready."""
    container: dict[str, Any] = {"name": "app", "image": image}
    if probe:
        get = {"path": "/healthz", "port": PORT}
        container["readinessProbe"] = {"httpGet": get, "periodSeconds": 1}
    pod: dict[str, Any] = {"containers": [container], "terminationGracePeriodSeconds": 1}
    if pull_secret:
        pod["imagePullSecrets"] = [{"name": pull_secret}]
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
