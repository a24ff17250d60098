"""What the bridge has done since it started, for its last line and its reports."""

from collections import Counter
from dataclasses import dataclass, field

from bridge.rejection import Reason


@dataclass(slots=True)
class Counts:
    """Frames by what became of them.

    ``received`` frames are ``accepted`` (to be published), ``ignored`` (of a kind not forwarded)
    or ``rejected``. ``published`` counts successful PUBACKs, ``refused`` the other ones.
    """

    received: int = 0
    accepted: int = 0
    ignored: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)
    published: int = 0
    refused: int = 0

    def summary(self) -> str:
        """Return every count as ``name=number``, and the rejected ones by reason."""
        reasons = ", ".join(f"{reason}: {n}" for reason, n in sorted(self.rejected.items()))
        return (
            f"received={self.received} accepted={self.accepted} ignored={self.ignored}"
            f" rejected={self.rejected.total()} published={self.published}"
            f" refused={self.refused}" + (f" ({reasons})" if reasons else "")
        )
