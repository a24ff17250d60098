"""Two deployments with equal settings, in one account and region, share nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from stacks.settings import SettingsError
from tests.stacks.conftest import KEY, Synthesize

_INGEST = "$aws/rules/…/"
"""How the topic of a rule begins: its name is not in the template."""
_TOPIC = "arn:aws:sns:us-east-1:123456789012:operators"


@pytest.fixture(scope="module")
def settings(csr: Path) -> dict[str, object]:
    """Return settings that use each feature there is."""
    return {
        "bridges": {"host-1": str(csr), "host-2": str(csr)},
        "applications": {"host-2": ["37817737f13"]},
        "basic_ingest": ["host-1", "host-2"],
        "consumers": {"reader": str(csr)},
        "senders": {"reader": ["37817737f13"]},
        "protected": True,
        "retention_days": 30,
        "publish_decoded": True,
        "alarm_topic": _TOPIC,
        "iot_logging": "WARN",
        "kms_key": KEY,
    }


@pytest.fixture(scope="module")
def plain(synthesize: Synthesize, settings: dict[str, object]) -> Path:
    """Synthesize the deployment without a name."""
    return synthesize(settings)


@pytest.fixture(scope="module", params=["staging", "a"])
def named(
    synthesize: Synthesize, settings: dict[str, object], request: pytest.FixtureRequest
) -> Path:
    """Synthesize one with a name, which is otherwise the same."""
    return synthesize(settings | {"deployment": request.param})


def stacks(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the templates by the names of their stacks."""
    paths = folder.glob("*.template.json")
    return {path.name.partition(".")[0]: json.loads(path.read_text()) for path in paths}


def texts(value: object) -> set[str]:
    """Return every text in a value, whole, a join as one text with what it refers to."""
    match value:
        case str():
            return {value}
        case {"Fn::Join": [str(by), list(parts)]}:
            joined = by.join(each if isinstance(each, str) else "…" for each in parts)
            return {joined}.union(*map(texts, parts))
        case dict():
            return set[str]().union(*map(texts, value.values()))
        case list():
            return set[str]().union(*map(texts, value))
        case _:
            return set()


def properties(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Return the properties of all resources of a type."""
    found = [each["Resources"].values() for each in stacks(folder).values()]
    return [each["Properties"] for group in found for each in group if each["Type"] == kind]


def names(folder: Path) -> set[str]:
    """Return the physical names that are set in templates."""
    found = [each["Resources"].values() for each in stacks(folder).values()]
    return {
        value
        for group in found
        for each in group
        for key, value in each.get("Properties", {}).items()
        if key.endswith("Name") and key != "MetricName" and isinstance(value, str)
    }


def test_no_stack_is_shared(plain: Path, named: Path) -> None:
    """Each deployment has stacks of its own, as many."""
    assert not stacks(plain).keys() & stacks(named).keys()
    assert len(stacks(plain)) == len(stacks(named)) == 5


def test_no_physical_name_is_shared(plain: Path, named: Path) -> None:
    """Only things have names of their own, and those differ, and with them the client IDs."""
    things = names(plain)
    assert things == {"host-1", "host-2", "reader"}
    assert not things & names(named)
    assert len(things) == len(names(named))


def test_no_query_is_shared(plain: Path, named: Path) -> None:
    """The rules of one take no topic of the other."""
    kind = "AWS::IoT::TopicRule"
    pairs = zip(properties(plain, kind), properties(named, kind), strict=True)
    for one, other in pairs:
        one_sql, other_sql = (each["TopicRulePayload"]["Sql"] for each in (one, other))
        assert "FROM 'lora/" in one_sql
        assert "FROM 'lora-" in other_sql
        assert other_sql.partition("FROM")[0] == one_sql.partition("FROM")[0]


def root_of(topic: str) -> str:
    """Return the first level of a topic, also shared in whatever group, or to a rule alone."""
    while topic.startswith(("$share/", "*/")):
        topic = topic.partition("/")[2]
    return topic.removeprefix(_INGEST).partition("/")[0]


def test_no_topic_is_shared(plain: Path, named: Path) -> None:
    """No policy lets an identity, or the decoder, publish or subscribe in the other deployment."""

    def topics(folder: Path) -> set[str]:
        every = set[str]().union(*map(texts, stacks(folder).values()))
        return {
            each.partition(f":{kind}/")[2]
            for each in every
            for kind in ("topic", "topicfilter")
            if f":{kind}/" in each and each.startswith("arn:…")
        }

    plain_topics, named_topics = topics(plain), topics(named)
    assert any(each.startswith(_INGEST) for each in plain_topics)
    assert len(plain_topics) == len(named_topics) >= 6
    assert set(map(root_of, plain_topics)) == {"lora"}
    (root,) = set(map(root_of, named_topics))
    assert root.startswith("lora-")


def test_no_stack_asks_another_deployment(plain: Path, named: Path) -> None:
    """The rule to which a bridge publishes alone is named by the store of its own deployment."""
    for folder, other in ((plain, named), (named, plain)):
        every = set[str]().union(*map(texts, stacks(folder).values()))
        assert not stacks(other).keys() & every


def test_the_decoder_knows_its_deployment(plain: Path, named: Path) -> None:
    """It publishes under the root of its own; without a name nothing is said."""
    kind = "AWS::Lambda::Function"
    (one,), (other,) = (properties(each, kind) for each in (plain, named))
    found = other["Environment"]["Variables"].pop("DEPLOYMENT")
    assert f"Lora-{found}-Store" in stacks(named)
    assert one["Environment"].keys() == other["Environment"].keys()
    assert "DEPLOYMENT" not in one["Environment"]["Variables"]


@pytest.mark.parametrize("name", ["Staging", "a-b", "x" * 17])
def test_a_bad_name_is_one_line(synthesize: Synthesize, name: str) -> None:
    """It says what a name may be."""
    with pytest.raises(SettingsError, match="is not 1 to 16 small letters or digits"):
        synthesize({"deployment": name})


def test_a_thing_whose_name_is_no_eui(synthesize: Synthesize, csr: Path) -> None:
    """Both names together have the room that one has: check's test uplinks have them as DevEUI."""
    context: dict[str, object] = {"bridges": {"x" * 64: str(csr)}}
    assert f"LoraIdentity-{'x' * 64}" in stacks(synthesize(context))
    with pytest.raises(SettingsError, match=f"staging_{'x' * 64} is longer than 64"):
        synthesize(context | {"deployment": "staging"})
