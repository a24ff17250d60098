"""The daemon on the network host."""
