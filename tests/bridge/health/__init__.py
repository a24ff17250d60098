"""How the bridge does, told over HTTP and to systemd."""
