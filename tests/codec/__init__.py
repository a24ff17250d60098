"""Payload codecs, their examples, and which codec is whose."""
