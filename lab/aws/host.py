"""What an operator does on the network server's host, by the real commands."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.deployment import UNNAMED, Deployment
from lab.aws.server import LocalAws
from lab.rig.errors import RigError
from lab.rig.running_bridge import LORA_BRIDGE
from lab.rig.servers import free_ports


@dataclass(frozen=True)
class Host:
    """A network server's host with its folder of keys, beside a local AWS, of one deployment."""

    aws: LocalAws
    folder: Path
    deployment: Deployment = UNNAMED

    def lora_bridge(self, *arguments: str) -> str:
        """Run a ``lora-bridge`` command to its end; return its standard output.

        Raises:
            RigError: it failed.

        """
        done = subprocess.run(
            [*LORA_BRIDGE, *arguments],
            env=self.aws.environment() | {"LORA_DEPLOYMENT": self.deployment.name},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RigError(f"lora-bridge {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def keygen(self, name: str) -> Path:
        """Make a key; return its certificate request, to deploy with."""
        self.lora_bridge("keygen", "--name", name, "--dir", str(self.folder))
        return self.folder / f"{name}.csr"

    def enroll(self, name: str) -> None:
        """Fetch the certificate, and the configuration of a bridge, after the deployment.

        The endpoint's own name ends in ``localhost``, which not every machine resolves.
        """
        self.lora_bridge(
            *("enroll", "--name", name, "--dir", str(self.folder)),
            *("--endpoint", "localhost", "--port", str(self.aws.mqtt_port)),
            *("--root-ca", str(self.aws.mqtt_ca)),
        )

    def configure(self, file_name: str, changes: Mapping[str, str]) -> tuple[Path, int]:
        """Write the enrolled configuration anew as ``file_name``, on a free port for listening.

        ``changes`` replaces lines, from ``key = value`` to ``key = value``. Returns the path and
        the port.
        """
        (port,) = free_ports(1)
        text = (self.folder / "bridge.toml").read_text()
        for old, new in {"port = 6500": f"port = {port}", **changes}.items():
            if old not in text:
                raise RigError(f"no {old!r} in the configuration")
            text = text.replace(old, new)
        path = self.folder / file_name
        path.write_text(text)
        return path, port
