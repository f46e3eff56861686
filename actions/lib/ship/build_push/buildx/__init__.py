"""Docker's buildx: its commands as data, which builder it uses, and what its output means."""
