"""What people are told: one message of a run at most, in which few devices are named."""

from dataclasses import dataclass

from contract.deployment import Deployment
from contract.times import format_span, format_time
from silence.judging import Fallen, Outcome
from silence.known import Network

_NAMED = 20  # devices


@dataclass(frozen=True, slots=True)
class Message:
    """A subject, which SNS wants in ASCII and below 100 characters, and a text."""

    subject: str
    text: str


def message(outcome: Outcome, before: Network, deployment: Deployment) -> Message | None:
    """Return what there is to tell, None if nothing changed; ``before`` is how the network was."""
    option = f" --deployment {deployment.name}" if deployment.name else ""
    parts = [
        _of_the_network(outcome.network, before),
        _of_the_fallen(outcome.fallen, option),
        _of_those_back(outcome.back),
    ]
    told = [part for part in parts if part is not None]
    if not told:
        return None
    who = " ".join(filter(None, ["lora-bridge", deployment.name]))
    more = ", and more" if len(told) > 1 else ""
    text = "\n\n".join(part.text for part in told) + "\n"
    return Message(f"{who}: {told[0].subject}{more}", text)


def _of_the_network(network: Network, before: Network) -> Message | None:
    if network == before:
        return None
    if network.silent_since is not None:
        return Message(
            "the network is silent",
            f"No device has been heard since {format_time(network.silent_since)}, and several"
            " should have been. Run 'lora-bridge check' on the network server's host: it says which"
            " link is broken. Nothing is told of single devices until one is heard again.",
        )
    return Message(
        "the network is heard again",
        "Devices are heard again. Those that stay silent are told when they have missed as many"
        " uplinks from now on as a device may.",
    )


def _of_the_fallen(fallen: list[Fallen], option: str) -> Message | None:
    if not fallen:
        return None
    lines = [
        f"{each.name}: since {format_time(each.newest)}, usually every {format_span(each.interval)}"
        for each in sorted(fallen, key=lambda each: -each.newest)
    ]
    subject = _count(len(fallen), "silent")
    advice = (
        f"'lora-bridge devices --silent{option}' lists all that are silent. If they have a gateway"
        " or a place in common, look there first; 'lora-bridge check' says whether the path from"
        " the network server is whole."
    )
    return Message(subject, f"{subject}:\n\n{_few(lines)}\n\n{advice}")


def _of_those_back(back: dict[str, int]) -> Message | None:
    if not back:
        return None
    lines = [f"{name}: at {format_time(time)}" for name, time in sorted(back.items())]
    subject = _count(len(back), "heard again")
    return Message(subject, f"{subject}:\n\n{_few(lines)}")


def _count(number: int, what: str) -> str:
    return f"1 device is {what}" if number == 1 else f"{number} devices are {what}"


def _few(lines: list[str]) -> str:
    others = len(lines) - _NAMED
    return "\n".join(lines[:_NAMED] + ([f"and {others} more"] if others > 0 else []))
