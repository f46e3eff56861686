"""What every action stands on: the environment, inputs, processes, workflow commands and errors."""
