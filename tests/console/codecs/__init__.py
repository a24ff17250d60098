"""Codecs tried before they are deployed."""
