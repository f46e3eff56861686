"""Why a rollout does not get on: the table of states, and the code that finds them."""
