"""The chain from the network server to the table, looked at."""
