"""The whole path, through the local AWS."""
