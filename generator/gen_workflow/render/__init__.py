"""From a workflow to its YAML: templates, scalars, the proof, templates of the user's own."""
