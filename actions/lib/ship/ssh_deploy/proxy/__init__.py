"""Deploying one container behind kamal-proxy, without downtime."""
