"""Addresses of sockets as people read them, and why one cannot be used."""


def address(name: tuple[object, ...] | str) -> str:
    """Return ``host:port`` of a socket's name."""
    if isinstance(name, str):
        return name
    host, port = name[0], name[1]
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


def why(error: OSError | UnicodeError) -> str:
    """Return why an address cannot be used; UnicodeError is of a host name."""
    return (isinstance(error, OSError) and error.strerror) or str(error)
