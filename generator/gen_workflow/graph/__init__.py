"""Workflows as graphs of their jobs: for Mermaid, for a terminal, and as SVG."""
