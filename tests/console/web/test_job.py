"""Work goes on whoever looks, and is told from its beginning."""

import threading
from collections.abc import Callable, Generator

from console.web.job import Job, Latest, Told
from contract.errors import BridgeError


def working(*told: Told) -> Callable[[Callable[[], bool]], Generator[Told, None, None]]:
    """Return work that tells this."""

    def work(_ended: Callable[[], bool]) -> Generator[Told, None, None]:
        yield from told

    return work


class Waiting:
    """Work that goes on until it is let go, and is ended well."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.closed = False

    def __call__(self, ended: Callable[[], bool]) -> Generator[Told, None, None]:
        """Tell that it has begun; then of each look at whether it is to end."""
        try:
            yield "first", 1
            while not self.go.wait(0.01):
                if ended():
                    return
            yield "last", 2
        finally:
            self.closed = True


def test_everyone_hears_all_of_it() -> None:
    """Who comes later, or when it has ended, is told the same."""
    job = Job(working(("a", 1), ("b", {"c": 2})))
    told = [("begin", {}), ("a", 1), ("b", {"c": 2}), ("end", {})]
    assert [list(job.follow()), list(job.follow())] == [told, told]
    assert job.ended_at is not None


def test_a_sign_of_life_while_nothing_is_told() -> None:
    """Without one, nobody would notice that the browser has gone."""
    work = Waiting()
    following = Job(work).follow()
    assert [next(following) for _ in range(3)] == [("begin", {}), ("first", 1), None]
    work.go.set()
    assert list(following) == [("last", 2), ("end", {})]


def test_what_goes_wrong_is_told() -> None:
    """Why it cannot go on, or that there is a mistake, which ends it as well."""

    def failing(error: Exception) -> Callable[[Callable[[], bool]], Generator[Told, None, None]]:
        def work(_ended: Callable[[], bool]) -> Generator[Told, None, None]:
            yield "a", 1
            raise error

        return work

    refused = list(Job(failing(BridgeError("AWS: no"))).follow())
    assert refused[1:] == [("a", 1), ("problem", "AWS: no"), ("end", {})]
    mistaken = list(Job(failing(KeyError("x"))).follow())
    assert mistaken[-2:] == [("problem", "a mistake in this program: KeyError('x')"), ("end", {})]


def running(latest: Latest) -> bool:
    """Say whether one goes on, now."""
    return latest.is_running


def test_one_at_a_time() -> None:
    """While one goes on, or just after it, none is begun, unless that is asked for."""
    latest, work = Latest(), Waiting()
    job = latest.start(work)
    assert job
    assert running(latest)
    assert latest.start(working()) is None
    work.go.set()
    assert list(job.follow())[-1] == ("end", {})
    assert not running(latest)
    assert latest.start(working(), fresh=60) is None
    assert latest.job is job
    assert latest.start(working()) not in {None, job}


def test_the_end_of_the_server() -> None:
    """What goes on is ended well: it lets go of what it holds."""
    latest, work = Latest(), Waiting()
    job = latest.start(work)
    assert job
    following = job.follow()
    next(following)
    latest.end(10)
    assert work.closed
    assert not running(latest)
    assert ("last", 2) not in list(following)
