"""Finds the broken link of the chain from the configuration to the stored row."""
