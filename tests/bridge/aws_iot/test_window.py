"""The window publishes everything once, in order, within its limit, whoever fills it."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.aws_iot.window import Window
from bridge.spool.waiting import Waiting

LIMIT = 3


def message(number: int) -> Waiting:
    """Return a small message."""
    return Waiting(number, 0, "lora/a1/d1", b"{}")


class Setting:
    """A window before an SDK that answers when the test says so, in order."""

    def __init__(self) -> None:
        self.published: list[int] = []
        self.under_way: list[Waiting] = []
        self.added = 0
        self.window = Window(LIMIT, self.publish)

    def publish(self, waiting: Waiting) -> None:
        """Take a message as the SDK does."""
        self.published.append(waiting.id)
        self.under_way.append(waiting)
        assert len(self.under_way) <= LIMIT

    def add(self, count: int) -> None:
        """Have some more messages to publish."""
        self.window.add([message(self.added + n) for n in range(count)])
        self.added += count

    def answer(self, count: int) -> None:
        """Answer the oldest publishes."""
        for _ in range(count):
            if not self.under_way:
                break
            self.window.answered(self.under_way.pop(0))


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "answer", "open", "close"]), st.integers(1, 7)), max_size=60
)


@given(STEPS)
def test_nothing_is_stuck_or_out_of_order(steps: list[tuple[str, int]]) -> None:
    """Whatever comes when, all is published in order once it is open and answers come."""
    setting = Setting()
    for step, count in steps:
        match step:
            case "add":
                setting.add(count)
            case "answer":
                setting.answer(count)
            case "open":
                setting.window.open()
            case "close":
                setting.window.close()
    setting.window.open()
    while setting.under_way:
        setting.answer(1)
    assert setting.published == [*range(setting.added)]
    assert setting.window.empty
    assert setting.window.ready_bytes == 0


def test_answers_go_on_after_a_pause_with_publishes_under_way() -> None:
    """Opened while the window is full of earlier publishes, their answers bring the next."""
    setting = Setting()
    setting.window.open()
    setting.add(4 * LIMIT)
    setting.answer(LIMIT)
    setting.window.close()
    setting.window.open()
    setting.answer(2 * LIMIT)
    assert setting.published == [*range(4 * LIMIT)]


def test_answers_wait_until_the_event_loops_last_publish_is_answered() -> None:
    """The SDK keeps one thread's order only: the other begins when all of the first is out."""
    setting = Setting()
    setting.window.open()
    setting.add(LIMIT + 1)
    setting.answer(LIMIT - 1)
    assert setting.published == [*range(LIMIT)]
    setting.answer(1)
    assert setting.published == [*range(LIMIT + 1)]


def test_what_is_taken_back_goes_out_where_it_belongs() -> None:
    """Publishes that failed are published again before all that is newer."""
    setting = Setting()
    setting.add(2)
    setting.window.take_back([message(-1), message(-2)])
    setting.window.open()
    setting.answer(4)
    assert setting.published == [-2, -1, 0, 1]


def test_a_closed_window_publishes_nothing() -> None:
    """Closed, it keeps what it has, also when answers come."""
    setting = Setting()
    setting.window.open()
    setting.add(2 * LIMIT)
    setting.window.close()
    setting.answer(LIMIT)
    assert setting.published == [*range(LIMIT)]
    assert not setting.window.empty


def test_an_answer_may_come_before_the_publish_returns() -> None:
    """Publishes that end at once leave no message behind, and no place taken."""
    published: list[int] = []

    def publish(waiting: Waiting) -> None:
        published.append(waiting.id)
        window.answered(waiting)

    window = Window(LIMIT, publish)
    window.open()
    window.add([message(number) for number in range(3000)])
    assert published == list(range(3000))
    assert window.empty
    window.add([message(3000)])
    assert published[-1] == 3000
