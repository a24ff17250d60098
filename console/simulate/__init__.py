"""Plays a network server."""
