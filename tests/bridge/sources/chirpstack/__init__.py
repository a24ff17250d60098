"""ChirpStack v4, by its broker."""
