"""Payload codecs: from the bytes that a device sent to readings, and to those it shall get."""
