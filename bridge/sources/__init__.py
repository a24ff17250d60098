"""Takes frames from network servers, and makes messages of them for the spool."""
