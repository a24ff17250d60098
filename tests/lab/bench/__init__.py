"""What is measured is measured right: in short runs, with the real programs."""
