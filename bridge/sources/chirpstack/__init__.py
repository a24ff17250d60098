"""ChirpStack v4, by the broker of its MQTT integration."""
