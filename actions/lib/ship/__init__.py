"""What the deploy actions share: the standard library only, so that nothing is installed to run."""
