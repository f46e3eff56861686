"""Deploying one container behind kamal-proxy, without a gap."""
