"""ssh-deploy: bring a new version to hosts over SSH, or leave them as they were."""
