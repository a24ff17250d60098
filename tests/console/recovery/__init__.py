"""What failed, put through again."""
