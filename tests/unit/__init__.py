"""What needs nothing but this process and its files: quick."""
