"""Measures the bridge beside the SDK alone and beside other bridges, on one machine."""
