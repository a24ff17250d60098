"""What the synthesized templates declare."""
