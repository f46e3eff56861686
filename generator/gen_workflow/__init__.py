"""Renders hardened GitHub workflows from a small project spec."""
