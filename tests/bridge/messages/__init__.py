"""From uplinks to messages."""
