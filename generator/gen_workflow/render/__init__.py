"""From a workflow to its YAML: templates, scalars, the proof, templates of a person's own."""
