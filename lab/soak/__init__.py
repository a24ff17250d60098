"""Breaks what can break around the bridge, for as long as wanted, and counts what arrives."""
