"""The function's parts, without AWS."""
