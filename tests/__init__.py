"""Proof of what the project promises, by the layer it is proved on."""
