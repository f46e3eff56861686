"""Everything about GitHub itself: client, refusals, and one update as plan and apply."""
