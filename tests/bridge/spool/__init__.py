"""The disk between the network server and AWS IoT."""
