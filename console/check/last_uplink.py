"""The link that asks the running bridge when the last uplink came."""

from datetime import UTC, datetime

from bridge.config import Http
from console.check.chain import NotTriedError
from console.check.metrics import last_uplinks, samples


def last_uplink(http: Http | None) -> str:
    """Return when the last uplink came, and of which application.

    Raises:
        NotTriedError: the bridge does not say, or has had none.

    """
    times = last_uplinks(samples(http))
    if not times:
        raise NotTriedError("none has come since the bridge started")
    seconds, application = max(times)
    time = datetime.fromtimestamp(seconds, UTC)
    return f"at {time:%Y-%m-%d %H:%M:%S} UTC, of {application}"
