"""MQTT clients."""
