"""Reads what AWS stores: uplinks, devices, and new uplinks over MQTT."""
