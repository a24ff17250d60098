"""Semtech's network server: NUL-terminated JSON frames over a TCP socket."""
