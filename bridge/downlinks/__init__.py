"""Downlinks on their way from AWS IoT to a network server; knows no server by name."""
