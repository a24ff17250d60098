"""Asks the running bridge for its metrics, by its [http]."""

from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from bridge.addresses import why
from bridge.config import Http
from console.check.chain import NotTriedError
from contract.names import CHECK_APPLICATION

_LAST_UPLINK = "lora_bridge_last_uplink_timestamp_seconds"
_LIMIT = 5.0  # seconds


def samples(http: Http | None) -> list[Sample]:
    """Return what the bridge counts now; nothing where it is no bridge that answers.

    Raises:
        NotTriedError: it does not say.

    """
    if http is None:
        raise NotTriedError("there is no [http] in the configuration")
    if http.port == 0:
        raise NotTriedError("port 0 of [http] is any that was free")
    try:
        families = list(text_string_to_metric_families(_text(http)))
    except ValueError:
        return []
    return [sample for family in families for sample in family.samples]


def last_uplinks(found: Iterable[Sample]) -> list[tuple[float, str]]:
    """Return when each application was heard last, in seconds since 1970."""
    return [
        (each.value, each.labels.get("application", ""))
        for each in found
        if each.name == _LAST_UPLINK and each.labels.get("application") != CHECK_APPLICATION
    ]


def _text(http: Http) -> str:
    connection = HTTPConnection(http.host, http.port, timeout=_LIMIT)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode(errors="replace")
    except (OSError, UnicodeError, HTTPException) as error:
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise NotTriedError(f"http://{http.host}:{http.port}/metrics: {reason}") from None
    finally:
        connection.close()
