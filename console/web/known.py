"""What is known of all devices, told to pages piece by piece. Does no I/O."""

from dataclasses import dataclass
from threading import Lock

from console.web.overview import Look


@dataclass(frozen=True, slots=True)
class News:
    """What is new of devices, or all of it: ``whole``; and the ``version`` to ask with again."""

    version: int
    whole: bool
    looks: list[Look]


class Known:
    """What is known of all devices, and which of it is news since a version."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._version = 1
        self._whole = 1  # an older version has other devices
        self._looks: dict[str, tuple[int, Look]] = {}
        self.listed: dict[str, int | None] | None = None
        """Every device, and about when it was seen last; None before they are known."""

    def put(self, found: Look) -> None:
        """Take what was found of a device."""
        with self._lock:
            self._version += 1
            self._looks[found.device] = (self._version, found)

    def list(self, devices: dict[str, int | None]) -> None:
        """Take the devices that there are; others are forgotten."""
        with self._lock:
            for device in self._looks.keys() - devices.keys():
                del self._looks[device]
            if self.listed is None or self.listed.keys() != devices.keys():
                self._version += 1
                self._whole = self._version
            self.listed = devices

    def since(self, version: int) -> News:
        """Return what is news since a version; all of it where there are other devices since."""
        with self._lock:
            whole = not self._whole <= version <= self._version
            found = [each for number, each in self._looks.values() if whole or number > version]
            return News(self._version, whole, found)

    @property
    def count(self) -> int:
        """How many devices were looked at."""
        return len(self._looks)
