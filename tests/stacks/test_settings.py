"""Settings come from lora.toml, the context counts more, and each mistake has its line."""

import json
import os
import shutil
from pathlib import Path

import pytest
from aws_cdk import App

from contract.settings import csr_digest
from lab.aws.cdk import PROJECT, CdkError, cdk
from stacks.settings import Settings, SettingsError, read_settings
from tests.stacks.conftest import Synthesize


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder as the project is, without settings."""
    shutil.copytree(PROJECT / "codecs", tmp_path / "codecs")
    (tmp_path / "build" / "decoder").mkdir(parents=True)
    return tmp_path


def read(folder: Path, text: str | None = None, /, **context: object) -> Settings:
    """Read a lora.toml with this text, and a context."""
    if text is not None:
        (folder / "lora.toml").write_text(text)
    return read_settings(App(context=context).node, folder)


def test_nothing_said_is_production(folder: Path) -> None:
    """Without lora.toml and context there is one store, whose data is kept."""
    settings = read(folder)
    assert (settings.environment, settings.retention_days) == ("production", None)
    assert (settings.deployment.name, settings.identities) == ("", ())
    assert settings.watching.quiet_minutes == 60


def test_a_file_of_settings(folder: Path, csr: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each key has its effect, paths are relative to the file, and nothing is said about it."""
    shutil.copy(csr, folder / "a.csr")
    text = f"""
        deployment = "staging"
        environment = "development"
        retention_days = 30
        publish_decoded = true
        alarm_topic = "arn:aws:sns:us-east-1:123456789012:operators"
        quiet_minutes = 30
        iot_logging = "WARN"
        [bridges]
        host-1 = "a.csr"
        host-2 = ["a.csr", "{csr}"]
        [consumers]
        reader = "a.csr"
        [applications]
        host-2 = ["37817737F13"]
    """
    settings = read(folder, text)
    assert (settings.deployment.name, settings.environment) == ("staging", "development")
    assert (settings.retention_days, settings.iot_logging) == (30, "WARN")
    assert settings.decoding.published
    assert settings.decoding.codecs == folder / "codecs"
    assert settings.watching.topic_arn == "arn:aws:sns:us-east-1:123456789012:operators"
    names = {each.name: (each.kind, each.applications) for each in settings.identities}
    assert names == {
        "host-1": ("bridge", ()),
        "host-2": ("bridge", ("37817737f13",)),
        "reader": ("consumer", ()),
    }
    assert capsys.readouterr().err == ""


def test_another_file(folder: Path) -> None:
    """The context may name one, for a second deployment; its absence is a mistake then."""
    read(folder, 'deployment = "staging"')
    (folder / "lora.toml").rename(folder / "staging.toml")
    assert read(folder).deployment.name == ""
    assert read(folder, settings="staging.toml").deployment.name == "staging"
    with pytest.raises(SettingsError, match=r"other\.toml: cannot read the settings: No such file"):
        read(folder, settings="other.toml")


def test_the_context_counts_more(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One key is overridden, the others stay, and one line says that this does not last."""
    text = 'retention_days = 30\nquiet_minutes = 30\niot_logging = "WARN"\n'
    context = {"retention_days": "60", "iot_logging": "", "quiet_minutes": "30"}
    settings = read(folder, text, **context)
    assert (settings.retention_days, settings.iot_logging) == (60, None)
    assert settings.watching.quiet_minutes == 30
    assert capsys.readouterr().err == (
        "retention_days, iot_logging: said by -c alone: gone on the next deploy without it, unless"
        " lora.toml says it\n"
    )


def test_tables_in_the_context_are_json(folder: Path, csr: Path) -> None:
    """That is how -c gives them; cdk.json gives them as they are."""
    for given in ({"host-1": str(csr)}, json.dumps({"host-1": str(csr)})):
        (bridge,) = read(folder, bridges=given).identities
        assert bridge.csrs == (csr.read_text(),)


def test_keys_of_the_cdk_are_left_alone(folder: Path) -> None:
    """Flags, look-ups that it remembers, and what its command line notes are no settings."""
    others = {
        "aws:cdk:enable-path-metadata": True,
        "@aws-cdk/core:checkSecretUsage": True,
        "availability-zones:account=1:region=eu-west-1": ["eu-west-1a"],
        "acknowledged-issue-numbers": [1],
        "cli-telemetry": False,
    }
    assert read(folder, None, **others) == read(folder)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("bridge", "did you mean bridges?"),
        ("retention-days", "did you mean retention_days?"),
        ("Environment", "did you mean environment?"),
        ("zzz", "the settings are deployment, environment, "),
    ],
)
def test_an_unknown_key_names_the_right_one(folder: Path, key: str, meant: str) -> None:
    """In the file, and in the context."""
    with pytest.raises(SettingsError, match=f"^context {key} is no setting: {meant}") as caught:
        read(folder, None, **{key: "1"})
    with pytest.raises(SettingsError) as in_file:
        read(folder, f"{key} = 1")
    start = f"{folder}/lora.toml: {key} is no setting: "
    assert str(in_file.value).startswith(start)
    assert len(str(caught.value).splitlines()) == 1


_LINES = [
    ("environment", '"prod"', "'prod' is not production or development"),
    ("retention_days", "0", "0 is not a whole number of days"),
    ("retention_days", "1.5", "1.5 is not a whole number of days"),
    ("retention_days", "-1", "-1 is not a whole number of days"),
    ("retention_days", "true", "is not a whole number of days"),
    ("alarm_topic", '"arn:x"', "'arn:x' is not the ARN of an SNS topic"),
    ("quiet_minutes", "4", "4 is not 5 to 1440 minutes"),
    ("quiet_minutes", "1441", "1441 is not 5 to 1440 minutes"),
    ("iot_logging", '"all"', "'all' is not ERROR or WARN or INFO or"),
    ("publish_decoded", '"yes"', "'yes' is not true or false"),
    ("deployment", '"a-b"', "'a-b' is not 1 to 16 small letters or digits"),
    ("codecs", "3", "3 is not a folder"),
    ("silent_devices", '"yes"', "'yes' is not true or false"),
    ("intervals", "3", "3 is not a file"),
    ("bridges", '"x"', "'x' is not a table, such as network-host-1 ="),
    ("bridges", '{"b" = []}', "{'b': []} is not a table, such as network-host-1 ="),
    ("bridges", '{"a/b" = "x"}', "name 'a/b' must be"),
    ("consumers", '{"c" = 5}', "{'c': 5} is not a table, such as"),
    ("applications", '{"b" = ["a/b"]}', "is not a table of bridges and their AppEUIs"),
    ("senders", '{"c" = 7}', "is not a table of consumers and AppEUIs, such as valves ="),
    ("senders", '{"c" = ["a/b"]}', "is not a table of consumers and AppEUIs, such as valves ="),
]


@pytest.mark.parametrize(("key", "value", "complaint"), _LINES)
def test_each_mistake_in_the_file_has_its_line(
    folder: Path, key: str, value: str, complaint: str
) -> None:
    """It names the file, the key, the value and what it should be."""
    with pytest.raises(SettingsError) as caught:
        read(folder, f"{key} = {value}")
    assert str(caught.value).startswith(f"{folder}/lora.toml: {key}: ")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(("key", "value", "complaint"), _LINES)
def test_each_mistake_in_the_context_has_its_line(
    folder: Path, key: str, value: str, complaint: str
) -> None:
    """Numbers are texts there, and tables are JSON."""
    text = value.replace(" = ", ": ")
    if key in {"bridges", "consumers", "applications", "senders"}:
        given: object = text
    else:
        given = value.strip('"') if value != "3" else 3
    with pytest.raises(SettingsError) as caught:
        read(folder, None, **{key: given})
    assert str(caught.value).startswith(f"context {key}: ")
    assert complaint.partition(" is ")[2] in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('retention_days = "30"', "retention_days: '30' is not a whole number of days"),
        ('publish_decoded = "true"', "publish_decoded: 'true' is not true or false"),
        ("retention_days = ", "lora.toml: "),
        ("environment = 'a'\nenvironment = 'b'", "lora.toml: "),
    ],
)
def test_toml_has_types(folder: Path, text: str, complaint: str) -> None:
    """A number in quotes is none, and what is no TOML is said to be none."""
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    assert complaint in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("context", "complaint"),
    [
        ({"codecs": "nowhere"}, "nowhere/codecs.toml: cannot read it"),
        ({"intervals": "nowhere.toml"}, "settings: intervals: "),
        ({"intervals": "LICENSE"}, "settings: intervals: "),
        ({"silent_devices": True}, "settings: silent_devices: there is nobody to tell: set alarm_"),
        ({"decoder_libraries": "nowhere"}, "libraries are missing: run 'make setup'"),
        ({"bridges": "x"}, "context bridges: 'x' is not JSON"),
        ({"consumers": {"c": "no.csr"}}, "make it with 'lora-bridge keygen --name c'"),
        ({"bridges": {"b": "LICENSE"}}, "LICENSE is not a PEM certificate request"),
        ({"applications": {"b": ["a"]}}, "applications: b is none of the bridges"),
        ({"senders": {"c": []}}, "senders: c is none of the consumers"),
        ({"senders": '{"c": []}'}, "senders: c is none of the consumers"),
    ],
)
def test_what_settings_name_is_looked_at(
    synthesize: Synthesize, context: dict[str, object], complaint: str
) -> None:
    """A file or folder that is not there, or is something else, has its line."""
    with pytest.raises(SettingsError) as caught:
        synthesize(context)
    assert complaint in str(caught.value)


def test_a_name_belongs_to_one_identity(synthesize: Synthesize, csr: Path) -> None:
    """A bridge and a consumer of one name would share a client ID: refused."""
    both: dict[str, object] = {"bridges": {"x": str(csr)}, "consumers": {"x": str(csr)}}
    with pytest.raises(SettingsError, match="x is both a bridge and a consumer"):
        synthesize(both)


def test_the_real_cli_says_what_does_not_last(folder: Path, csr: Path) -> None:
    """What -c says is deployed, with the line on standard error; the CLI's own keys are none."""
    path = folder / "lora.toml"
    path.write_text(f'[bridges]\nhost-1 = "{csr}"\n')
    output = folder / "cdk.out"
    options = ("--quiet", f"--output={output}", f"--context=settings={path}")
    environment = {name: value for name, value in os.environ.items() if "AWS" not in name}
    said = cdk(environment, "synth", *options, "--context=quiet_minutes=30")
    assert (output / "LoraIdentity-host-1.template.json").exists()
    assert "quiet_minutes: said by -c alone" in said
    with pytest.raises(CdkError, match=r"context bridge is no setting: did you mean bridges\?"):
        cdk(environment, "synth", *options, "--context=bridge=x")


def test_what_was_deployed_is_stated(synthesize: Synthesize, csr: Path) -> None:
    """The store states all but the identities, and each of those its own, as short outputs."""
    topic = "arn:aws:sns:us-east-1:123456789012:operators"
    folder = synthesize(
        {
            "bridges": {"host-1": str(csr)},
            "applications": {"host-1": "37817737F13"},
            "consumers": {"reader": str(csr), "valves": str(csr)},
            "senders": {"valves": ["37817737F13"]},
            "alarm_topic": topic,
            "retention_days": 30,
        }
    )

    def stated(stack: str) -> dict[str, object]:
        template = json.loads((folder / f"{stack}.template.json").read_text())
        text = template["Outputs"]["Settings"]["Value"]
        assert len(text) < 1024  # what CloudFormation surely takes
        values: dict[str, object] = json.loads(text)
        return values

    store = stated("LoraStore")
    assert len(str(store.pop("codecs"))) == 16
    assert store == {
        "environment": "production",
        "protected": False,
        "kms_key": None,
        "retention_days": 30,
        "decode_within": 1,
        "publish_decoded": False,
        "alarm_topic": topic,
        "quiet_minutes": 60,
        "silent_devices": False,
        "intervals": None,
        "iot_logging": None,
    }
    digest = csr_digest(csr.read_text())
    bridge = {"bridges.host-1": [digest], "applications.host-1": ["37817737f13"]}
    assert stated("LoraIdentity-host-1") == bridge
    assert stated("LoraIdentity-reader") == {"consumers.reader": [digest]}
    sender = {"consumers.valves": [digest], "senders.valves": ["37817737f13"]}
    assert stated("LoraIdentity-valves") == sender
