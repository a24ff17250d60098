"""Shows what the store holds: as tables, charts and files, and as it comes."""
