"""Semtech's network server."""
