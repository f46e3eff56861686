"""Deploying one container with `docker run`."""
