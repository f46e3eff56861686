"""build-push: build images and push them, in one step."""
