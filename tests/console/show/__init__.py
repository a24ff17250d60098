"""How what was read is shown."""
