"""Who is told to be silent, and when, without AWS."""
