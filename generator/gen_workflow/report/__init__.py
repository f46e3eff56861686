"""What a user sees: the terminal."""
