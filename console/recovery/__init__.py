"""What went wrong or went by: put through again."""
