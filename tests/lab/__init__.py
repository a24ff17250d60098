"""What tries the product is tried itself."""
