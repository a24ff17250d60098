"""What people are told: in words, and in one message whatever has happened."""

from silence.judging import Fallen, Outcome
from silence.known import Network
from silence.telling import Message, message

from contract.deployment import UNNAMED, Deployment
from contract.times import format_time
from tests.silence.world import HOUR, MINUTE, START

_AT = format_time(START)
_WELL = Network()


def fallen(number: int) -> list[Fallen]:
    """Return so many devices that have fallen silent, a minute after one another."""
    return [Fallen(f"a/{each}", START + each * MINUTE, HOUR, 3) for each in range(number)]


def told(outcome: Outcome, before: Network = _WELL) -> Message:
    """Return the message, which there must be."""
    found = message(outcome, before, UNNAMED)
    assert found is not None
    return found


def test_nothing_is_told_of_nothing() -> None:
    """Also where intervals were learnt, or a mark was removed."""
    outcome = Outcome(_WELL, unwatched=["a/1"], learnt={"a/2": HOUR}, silent=7)
    assert message(outcome, _WELL, UNNAMED) is None


def test_a_silent_device_is_told_with_what_to_do() -> None:
    """Since when, how often it usually reports, and which commands help."""
    found = told(Outcome(_WELL, fallen=fallen(1)))
    assert found.subject == "lora-bridge: 1 device is silent"
    assert f"a/0: since {_AT}, usually every 1h" in found.text.splitlines()
    assert "'lora-bridge devices --silent' lists" in found.text
    assert "'lora-bridge check'" in found.text


def test_few_are_named_and_the_others_counted() -> None:
    """Those that were heard last come first."""
    text = told(Outcome(_WELL, fallen=fallen(500))).text
    assert text.startswith("500 devices are silent:\n\na/499: since ")
    assert "\na/480: since " in text
    assert "\nand 480 more\n" in text
    assert "a/479" not in text
    assert "more" not in told(Outcome(_WELL, fallen=fallen(20))).text


def test_devices_that_are_back_are_told() -> None:
    """With when they were heard."""
    found = told(Outcome(_WELL, back={"a/1": START}))
    assert found.subject == "lora-bridge: 1 device is heard again"
    assert f"a/1: at {_AT}" in found.text


def test_all_of_a_run_is_one_message() -> None:
    """Its subject is short and plain, as SNS wants it; a deployment is named in it."""
    back = {f"a/{number}": START for number in range(99_999)}
    outcome = Outcome(Network(heard_again=START), fallen=fallen(99_999), back=back)
    found = message(outcome, Network(silent_since=START), Deployment("a123456789012345"))
    assert found is not None
    assert found.subject == "lora-bridge a123456789012345: the network is heard again, and more"
    assert len(found.subject) < 100
    assert found.text.count("\na/") == 40
    assert "devices --silent --deployment a123456789012345'" in found.text
    assert len(found.text) < 10_000


def test_a_silent_network_is_told_with_what_to_do() -> None:
    """Since when, and that single devices are not told; and once that it is back."""
    silent = Network(silent_since=START)
    found = told(Outcome(silent))
    assert found.subject == "lora-bridge: the network is silent"
    assert f"since {_AT}" in found.text
    assert "Run 'lora-bridge check'" in found.text
    assert message(Outcome(silent), silent, UNNAMED) is None
    back = told(Outcome(Network(heard_again=START)), silent)
    assert back.subject == "lora-bridge: the network is heard again"
