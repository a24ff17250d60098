"""Keeps messages, and frames that were rejected, on disk."""
