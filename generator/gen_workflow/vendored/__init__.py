"""Our actions as a copy in the repository of a user: what is copied, its lock, and its state."""
