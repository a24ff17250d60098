"""The demo: the whole path on one machine, in a local AWS."""
