"""The one version of the actions and the generator."""

__version__ = "0.1.0"
