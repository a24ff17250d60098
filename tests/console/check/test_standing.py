"""What to do about a certificate that lets nobody in depends on what is deployed instead."""

from pathlib import Path

import pytest

from console.check.standing import Owner, Standing, remedy
from contract.deployment import UNNAMED, Deployment

FOLDER = Path("/etc/lora-bridge")
NAMED = "--name network-host-1 --dir /etc/lora-bridge"
ACTIVATE = "activate it: aws iot update-certificate --new-status ACTIVE --certificate-id 0a"
STATUSES = (None, "INACTIVE", "REVOKED", "ACTIVE")


def bridge(folder: Path = FOLDER, deployment: Deployment = UNNAMED) -> Owner:
    """Return a bridge with its key in a folder."""
    return Owner(deployment, "network-host-1", folder / "network-host-1.key")


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing.SWITCHABLE, f"lora-bridge rotate switch {NAMED}"),
        (Standing.REISSUED, f"lora-bridge enroll {NAMED}"),
        (Standing.RETIRED, "name network-host-1.csr in lora.toml, deploy, and run lora-bridge"),
    ],
)
def test_what_was_replaced_is_never_activated(
    standing: Standing, status: str | None, words: str
) -> None:
    """Whatever is left of a retired certificate, the one that is deployed is to be used."""
    said = remedy(standing, status, "0a", bridge())
    assert words in said
    assert "update-certificate" not in said


@pytest.mark.parametrize(
    ("standing", "status", "words"),
    [
        (Standing.DEPLOYED, "INACTIVE", ACTIVATE),
        (Standing.UNKNOWN, "INACTIVE", ACTIVATE),
        (Standing.DEPLOYED, "REVOKED", f"change it: lora-bridge rotate begin {NAMED}"),
        (Standing.UNKNOWN, "REVOKED", f"change it: lora-bridge rotate begin {NAMED}"),
        (Standing.DEPLOYED, None, f"--revert-drift, and fetch it: lora-bridge enroll {NAMED}"),
        (Standing.UNKNOWN, None, "endpoint in the configuration is this account's"),
        (Standing.DEPLOYED, "ACTIVE", "--revert-drift"),
        (Standing.UNKNOWN, "ACTIVE", "--revert-drift"),
    ],
)
def test_what_is_deployed_is_mended(standing: Standing, status: str | None, words: str) -> None:
    """What somebody did to a certificate that is deployed is undone, unless it was revoked."""
    assert words in remedy(standing, status, "0a", bridge())


def test_where_the_files_are_is_not_said_needlessly() -> None:
    """Where the keys are in the present folder, a command needs no --dir."""
    said = remedy(Standing.REISSUED, None, "0a", bridge(Path()))
    assert said.endswith("lora-bridge enroll --name network-host-1")


def test_the_bridge_of_a_deployment_with_a_name() -> None:
    """Its stacks and commands are those of its deployment."""
    said = remedy(Standing.REISSUED, None, "0a", bridge(Path(), Deployment("staging")))
    assert said.endswith("lora-bridge enroll --name network-host-1 --deployment staging")
