"""The commands that change key and certificate of an identity."""

from pathlib import Path

import click

from console.parameters import identity_options

# The modules behind the commands are imported when a command runs: --help stays quick, and a
# command needs no library that it does not use.
# ruff: noqa: PLC0415


@click.group()
def rotate() -> None:
    """Change the key and certificate of a bridge or consumer, losing nothing.

    Three steps, with a deployment after each of the first two; each may be repeated, and goes on
    where it was broken off. For a time both certificates are active.

    \b
    Example:
      lora-bridge rotate begin --name network-host-1
      (deploy with network-host-1.csr and network-host-1.next.csr)
      lora-bridge rotate switch --name network-host-1
      (restart the bridge; deploy with network-host-1.next.csr alone)
      lora-bridge rotate finish --name network-host-1
    """


@rotate.command()
@identity_options
def begin(name: str, folder: Path) -> None:
    """Make a new key, and a certificate request for it.

    Writes NAME.next.key (mode 0600) and NAME.next.csr; nothing uses them yet.

    \b
    Example:
      lora-bridge rotate begin --name network-host-1 --dir /etc/lora-bridge
    """
    from console.identity.rotation import begin as make

    csr = make(name, folder)
    click.echo(f"{csr}: the new certificate request")
    click.echo(
        f'next: name both in the context, "{name}": ["{name}.csr", "{csr.name}"], and deploy;'
    )
    click.echo(f"then lora-bridge rotate switch --name {name}")


@rotate.command()
@identity_options
def switch(name: str, folder: Path) -> None:
    """Fetch the new certificate, prove that it works, and use it.

    NAME.key and NAME.pem lead to the new pair then, both at once, and the former one is kept. Of
    a bridge, the endpoint is that of bridge.toml. Needs the AWS credentials that enroll needs,
    which may also list what is attached to the certificate.

    \b
    Example:
      lora-bridge rotate switch --name network-host-1 --dir /etc/lora-bridge
    """
    from console.check.new_pair import trial
    from console.identity.rotation import switch as use

    certificate = use(name, folder, trial(name, folder))
    click.echo(f"{certificate}: the new certificate")
    click.echo("next: restart what uses it (a bridge loses nothing by that), and try it with")
    click.echo("lora-bridge check; then name the new CSR alone in the context, and deploy;")
    click.echo(f"then lora-bridge rotate finish --name {name}")


@rotate.command()
@identity_options
def finish(name: str, folder: Path) -> None:
    """Forget the former key, once its certificate is no longer deployed.

    NAME.next.csr becomes NAME.csr.

    \b
    Example:
      lora-bridge rotate finish --name network-host-1 --dir /etc/lora-bridge
    """
    from console.identity.rotation import finish as forget

    gone = forget(name, folder)
    for each in gone:
        click.echo(f"{each}: retired, its key removed")
    if not gone:
        click.echo(f"{name}: nothing to finish")
