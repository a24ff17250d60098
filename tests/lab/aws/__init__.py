"""The stand-ins for AWS do what the product relies on."""
