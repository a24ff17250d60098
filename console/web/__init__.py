"""Pages on the operator's machine: the path, the devices, what went wrong."""
