"""From bytes to messages: frames, uplinks, their timestamps, topics and payloads. Does no I/O."""
