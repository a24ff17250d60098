"""The commands that give a bridge or consumer its key and certificate."""

from pathlib import Path

import click

from console.parameters import deployment_option, endpoint_options, identity_options
from contract.deployment import Deployment
from contract.names import IdentityKind, client_id

# The modules behind the commands are imported when a command runs: --help stays quick, and a
# command needs no library that it does not use.
# ruff: noqa: PLC0415


@click.command()
@identity_options
def keygen(name: str, folder: Path) -> None:
    """Make a private key and a certificate request (CSR).

    Writes NAME.key (EC P-256, mode 0600) and NAME.csr. The key never leaves this host. Copy the
    CSR to where 'cdk deploy' runs. The command never overwrites a file. If the CSR of a key was
    lost, it makes another one.

    \b
    Example:
      lora-bridge keygen --name network-host-1 --dir /etc/lora-bridge
    """
    from console.identity.keygen import make_key_and_csr

    key, csr = make_key_and_csr(name, folder)
    click.echo(f"{key}: the private key, for this host only")
    click.echo(f"{csr}: the certificate request, to deploy with: lora.toml names it")
    click.echo(f'below [bridges], or [consumers] for who only reads: {name} = "{csr.name}"')


@click.command()
@identity_options
@endpoint_options
@deployment_option
@click.option(
    "--chirpstack",
    is_flag=True,
    help="For a ChirpStack v4, by its broker, and not for a server that connects to the bridge.",
)
def enroll(  # noqa: PLR0913  # a parameter for each option
    *,
    name: str,
    folder: Path,
    endpoint: str | None,
    port: int,
    root_ca: Path | None,
    deployment: Deployment,
    chirpstack: bool,
) -> None:
    """Fetch the certificate after 'cdk deploy'.

    Writes NAME.pem. For a bridge it also writes bridge.toml, unless there is one. Needs AWS
    credentials that may read CloudFormation stacks and AWS IoT certificates and endpoints.

    With --chirpstack it prints what to put into ChirpStack's and Mosquitto's own files, so that no
    event is lost. If there is a bridge.toml, it also prints the table for that.

    \b
    Example:
      lora-bridge enroll --name network-host-1 --dir /etc/lora-bridge
      lora-bridge enroll --name network-host-1 --dir /etc/lora-bridge --chirpstack
    """
    from console.identity.bridge_toml import CHIRPSTACK
    from console.identity.chirpstack_files import advice
    from console.identity.enroll import Endpoint, enroll_identity, find_endpoint

    where = Endpoint(endpoint or find_endpoint(), port, root_ca.resolve() if root_ca else None)
    enrolled = enroll_identity(deployment, name, folder, where, chirpstack=chirpstack)
    click.echo(f"{enrolled.certificate}: the certificate of {enrolled.kind} {name}")
    if enrolled.configuration_written:
        click.echo(f"{enrolled.configuration}: ready for 'lora-bridge run'")
    elif enrolled.kind is IdentityKind.BRIDGE:
        click.echo(f"{enrolled.configuration}: exists and was kept")
    else:
        client, root = deployment.thing(name), deployment.topic_root
        click.echo(
            f"subscribe to {where.host}:{port} as client {client}, for example to '{root}/#'; a"
            f" second program as {client_id(client, 2)}"
        )
    if chirpstack and enrolled.kind is IdentityKind.BRIDGE:
        table = None if enrolled.configuration_written else CHIRPSTACK
        click.echo(f"\n{advice(table)}", nl=False)
