"""What a broker that misbehaves cannot break."""
