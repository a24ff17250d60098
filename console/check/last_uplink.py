"""The link that asks the running bridge when the last uplink came."""

from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException

from prometheus_client.parser import text_string_to_metric_families

from bridge.addresses import why
from bridge.config import Http
from console.check.chain import NotTriedError
from contract.names import CHECK_APPLICATION

_METRIC = "lora_bridge_last_uplink_timestamp_seconds"
_LIMIT = 5.0  # seconds


def last_uplink(http: Http | None) -> str:
    """Return when the last uplink came, and of which application.

    Raises:
        NotTriedError: the bridge does not say, or has had none.

    """
    if http is None:
        raise NotTriedError("there is no [http] in the configuration")
    if http.port == 0:
        raise NotTriedError("port 0 of [http] is any that was free")
    times = _times(_metrics(http))
    if not times:
        raise NotTriedError("none has come since the bridge started")
    seconds, application = max(times)
    time = datetime.fromtimestamp(seconds, UTC)
    return f"at {time:%Y-%m-%d %H:%M:%S} UTC, of {application}"


def _metrics(http: Http) -> str:
    connection = HTTPConnection(http.host, http.port, timeout=_LIMIT)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode(errors="replace")
    except (OSError, UnicodeError, HTTPException) as error:
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise NotTriedError(f"http://{http.host}:{http.port}/metrics: {reason}") from None
    finally:
        connection.close()


def _times(text: str) -> list[tuple[float, str]]:
    """Return when each application was heard last."""
    try:
        families = list(text_string_to_metric_families(text))
    except ValueError:  # it is no bridge that answers
        return []
    return [
        (sample.value, sample.labels.get("application", ""))
        for family in families
        for sample in family.samples
        if sample.name == _METRIC and sample.labels.get("application") != CHECK_APPLICATION
    ]
