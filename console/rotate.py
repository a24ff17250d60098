"""The commands that change key and certificate of an identity."""

from pathlib import Path

import click

from console.parameters import deployment_option, identity_arguments, identity_options
from contract.deployment import Deployment

# The modules behind the commands are imported when a command runs: --help stays quick, and a
# command needs no library that it does not use.
# ruff: noqa: PLC0415


@click.group()
def rotate() -> None:
    """Change the key and certificate of a bridge or consumer, losing nothing.

    There are three steps. Deploy after the first and after the second. You may repeat each step:
    it goes on where it was interrupted. Between the two deployments both certificates are active.

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

    Writes NAME.next.key (mode 0600) and NAME.next.csr. Nothing uses them yet.

    \b
    Example:
      lora-bridge rotate begin --name network-host-1 --dir /etc/lora-bridge
    """
    from console.identity import rotation

    csr = rotation.begin(name, folder)
    click.echo(f"{csr}: the new certificate request")
    click.echo(f'next: name both in lora.toml, {name} = ["{name}.csr", "{csr.name}"], and deploy;')
    click.echo(f"then lora-bridge rotate switch {identity_arguments(name, folder)}")


@rotate.command()
@identity_options
@deployment_option
def switch(name: str, folder: Path, deployment: Deployment) -> None:
    """Fetch the new certificate, prove that it works, and use it.

    First it connects with the new pair and tries it. Then NAME.key and NAME.pem lead to the new
    pair, both at once. The former pair is kept. For a bridge, it connects to the endpoint in
    bridge.toml, which also says of which deployment it is. Needs the AWS credentials that enroll
    needs. They must also be allowed to list what is attached to the certificate.

    \b
    Example:
      lora-bridge rotate switch --name network-host-1 --dir /etc/lora-bridge
    """
    from console.check.new_pair import trial
    from console.identity import rotation

    whose = _deployment(deployment, name, folder)
    certificate = rotation.switch(whose, name, folder, trial(whose, name, folder))
    click.echo(f"{certificate}: the new certificate")
    click.echo("next: restart what uses it (a bridge loses nothing by that), and try it with")
    click.echo("lora-bridge check; then name the new CSR alone in lora.toml, and deploy;")
    click.echo(f"then lora-bridge rotate finish {identity_arguments(name, folder)}")


@rotate.command()
@identity_options
@deployment_option
def finish(name: str, folder: Path, deployment: Deployment) -> None:
    """Remove the former key, once its certificate is no longer deployed.

    Renames NAME.next.csr to NAME.csr.

    \b
    Example:
      lora-bridge rotate finish --name network-host-1 --dir /etc/lora-bridge
    """
    from console.identity import rotation

    gone = rotation.finish(_deployment(deployment, name, folder), name, folder)
    for each in gone:
        click.echo(f"{each}: retired, its key removed")
    if gone:
        click.echo(f"{name}.next.csr is {name}.csr now: let lora.toml name it so")
    else:
        click.echo(f"{name}: nothing to finish")


def _deployment(said: Deployment, name: str, folder: Path) -> Deployment:
    """Return the deployment of a bridge, which its configuration knows, or else what was said."""
    from bridge.config import load

    path = folder / "bridge.toml"
    if path.exists() and (aws := load(path).aws).private_key.name == f"{name}.key":
        return aws.deployment
    return said
