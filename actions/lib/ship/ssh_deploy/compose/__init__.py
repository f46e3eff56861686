"""Deploying a compose project."""
