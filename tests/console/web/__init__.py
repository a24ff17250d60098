"""The pages on the operator's machine."""
