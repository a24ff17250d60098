"""A certificate authority for a broker on this machine, with a server on localhost and a client."""

from pathlib import Path

import trustme


def make_certificates(folder: Path) -> None:
    """Write ca.pem, and server and client .pem and .key files."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for who, common_name in (("server", "localhost"), ("client", "client")):
        issued = authority.issue_cert(common_name, common_name=common_name)
        issued.cert_chain_pems[0].write_to_path(folder / f"{who}.pem")
        issued.private_key_pem.write_to_path(folder / f"{who}.key")
