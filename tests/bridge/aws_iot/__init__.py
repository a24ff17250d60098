"""Publishing to AWS IoT."""
