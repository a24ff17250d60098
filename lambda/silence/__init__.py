"""The function in AWS that tells when devices fall silent, and when they are back."""
