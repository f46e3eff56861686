"""The action kubectl-set-image: new images in a cluster, watched to their end."""
