"""What a workflow does for an event: which jobs run, in which order, and why others do not."""
