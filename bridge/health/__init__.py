"""How the bridge does: health and metrics over HTTP, and what systemd is told."""
