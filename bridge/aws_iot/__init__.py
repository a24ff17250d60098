"""Publishes what is in the spool over MQTT."""
