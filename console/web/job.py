"""Work that goes on in a thread of its own, whoever looks at it, and is told from its beginning."""

import logging
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from threading import Condition, Event, Thread

from contract.errors import BridgeError

Told = tuple[str, object]
"""What is told of the work: a name, and what there is to say."""
Work = Callable[[Callable[[], bool]], Generator[Told, None, None]]
"""Works, telling of it, until the function that it is given says that it is to end."""

_BUSY = 1.0  # seconds after which there is a sign of life
_log = logging.getLogger(__name__)


class Job:
    """A piece of work. It tells ``problem``, and why, if it cannot go on; the last is ``end``."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._told: list[Told] = []
        self._changed = Condition()
        self._ending = Event()
        self.ended_at: float | None = None
        """When it ended, by the monotonic clock; None while it goes on."""
        self._thread = Thread(target=self._run, name="job", daemon=True)
        self._thread.start()

    def follow(self) -> Iterator[Told | None]:
        """Yield what was told since it began, and what is told; None while there is nothing."""
        seen = 0
        yield "begin", {}
        while True:
            with self._changed:
                self._changed.wait_for(lambda: len(self._told) > seen, _BUSY)  # noqa: B023  # at once
                news = self._told[seen:]
            seen += len(news)
            if not news:
                yield None
            yield from news
            if news and news[-1][0] == "end":
                return

    def end(self, seconds: float) -> None:
        """End it soon, and wait for that."""
        self._ending.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            with closing(self._work(self._ending.is_set)) as work:
                for each in work:
                    self._tell(*each)
        except BridgeError as error:
            self._tell("problem", str(error))
        except Exception as error:  # noqa: BLE001  # nobody else would hear of it
            _log.exception("a mistake in this program")
            self._tell("problem", f"a mistake in this program: {error!r}")
        self.ended_at = time.monotonic()
        self._tell("end", {})

    def _tell(self, name: str, content: object) -> None:
        with self._changed:
            self._told.append((name, content))
            self._changed.notify_all()


class Latest:
    """The latest job of a kind: one at a time."""

    def __init__(self) -> None:
        self._job: Job | None = None
        self._changing = Condition()

    @property
    def job(self) -> Job | None:
        """The job, None where there was none yet."""
        return self._job

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self._job is not None and self._job.ended_at is None

    def start(self, work: Work, fresh: float = 0.0) -> Job | None:
        """Begin a job, unless one goes on or ended less than ``fresh`` seconds ago.

        Returns:
            The job, None if none was begun.

        """
        with self._changing:
            if self._job and (
                self._job.ended_at is None or time.monotonic() - self._job.ended_at < fresh
            ):
                return None
            self._job = Job(work)
            return self._job

    def end(self, seconds: float) -> None:
        """End what goes on, and wait for that."""
        if self._job:
            self._job.end(seconds)
