"""The chain from the configuration to the table, in the order that uplinks go."""

import secrets
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bridge.config import Aws, Config
from console.check import chirpstack, deployed, files, network
from console.check.account import Account
from console.check.chain import QUIET, BrokenError, Link, NotTriedError
from console.check.downlink_trip import NO_DOWNLINKS, DownlinkTrip
from console.check.last_uplink import last_uplink
from console.check.round_trip import RoundTrip
from console.check.session import Session, aws_session
from console.check.standing import Owner
from console.check.store_links import store_links
from console.identity.key_pair import certificate_id
from contract.errors import BridgeError
from contract.names import CHECK_APPLICATION

if TYPE_CHECKING:
    from cryptography import x509

_EMPTY = b"{}"


class Links:
    """All links; each may rely on those before it.

    A ``pair`` of certificate and key takes the place of that of the configuration. ``quiet`` ones
    publish nothing.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime],
        pair: tuple[Path, Path] | None = None,
        *,
        quiet: bool = False,
    ) -> None:
        self._path = path
        self._now = now
        self._pair = pair
        self._quiet = quiet
        self._config: Config
        self._certificate: x509.Certificate

    def all(self, *, round_trip: bool) -> Generator[Link, None, None]:
        """Yield the links, each when the one before has been looked at.

        Raises:
            BridgeError: nobody can see the round trip.

        """
        yield "configuration", self._read_configuration
        aws = self._config.aws
        deployment = aws.deployment
        if round_trip and aws.basic_ingest:
            raise BridgeError(
                "with basic_ingest in the configuration nobody can subscribe: leave out"
                " --round-trip, and see with 'lora-bridge history' what arrives"
            )
        if not self._pair:  # which is for AWS IoT alone
            yield from chirpstack.links(self._config, quiet=self._quiet)
            if self._config.chirpstack:
                yield "last uplink", lambda: last_uplink(self._config.http)
        account = Account(aws.endpoint)
        endpoint = network.endpoint(aws)
        yield "key", lambda: files.key(aws.private_key)
        yield "certificate", self._read_certificate
        yield "clock", lambda: account.clock(self._now)
        yield "name", lambda: network.name(endpoint)
        yield "TCP", lambda: network.tcp(endpoint)
        yield "TLS", lambda: network.tls(endpoint)
        which = certificate_id(self._certificate)
        yield (
            "certificate in AWS",
            lambda: account.certificate(which, _owner(aws)),
        )
        with closing(aws_session(aws)) as session:
            yield "MQTT", session.connect
            yield "publish", lambda: self._publish(session)
            yield "requests", lambda: self._subscribe_to_requests(session)
            if aws.basic_ingest:
                yield (
                    "basic ingest",
                    lambda: _same_rule(aws.basic_ingest, deployed.rule(deployment)),
                )
            yield from store_links(account, deployment)
            if round_trip:
                yield from RoundTrip(self._config, session).links()
                yield from self._downlink_trip().links()

    def _read_configuration(self) -> str:
        self._config = files.configuration(self._path)
        if self._pair:
            certificate, key = self._pair
            aws = replace(self._config.aws, certificate=certificate, private_key=key)
            self._config = replace(self._config, aws=aws)
        return str(self._path)

    def _read_certificate(self) -> str:
        aws = self._config.aws
        self._certificate = files.certificate(aws.certificate, aws.private_key)
        return f"{aws.certificate}, {files.validity(self._certificate, self._now())}"

    def _publish(self, session: Session) -> str:
        if self._config.aws.basic_ingest:
            raise NotTriedError("with basic_ingest the rule would store whatever is published")
        if self._quiet:
            raise NotTriedError(QUIET)
        return session.publish(self._topic_beside(), _EMPTY)

    def _subscribe_to_requests(self, session: Session) -> str:
        if self._config.downlinks is None:
            raise NotTriedError(NO_DOWNLINKS)
        # Not as one of those who share: requests that come here then are not taken from them.
        return session.subscribe(self._config.aws.deployment.request_topic("+/+"))

    def _downlink_trip(self) -> DownlinkTrip:
        request_id = f"check-{secrets.token_hex(8)}"
        now = self._now() - datetime(1970, 1, 1, tzinfo=UTC)
        return DownlinkTrip(self._config, request_id, now // timedelta(microseconds=1))

    def _topic_beside(self) -> str:
        """Return a topic that the policy allows as those of uplinks, with a level more.

        The rule does not take it.
        """
        aws = self._config.aws
        listeners = self._config.listen
        application = (listeners and listeners[0].application) or CHECK_APPLICATION
        return aws.deployment.uplink_topic(f"{application}/{aws.client_id}/check")


def _owner(aws: Aws) -> Owner:
    return Owner(aws.deployment, aws.deployment.identity(aws.client_id), aws.private_key)


def _same_rule(named: str | None, deployed: str) -> str:
    if named != deployed:
        raise BrokenError(
            f"basic_ingest is {named}, and the rule that is deployed is {deployed}",
            f'set basic_ingest = "{deployed}" in the configuration, and restart the bridge',
        )
    return f"to {deployed} alone"
