"""Synthesizes the app once for all tests of its templates."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

import app
from console.identity.keygen import make_key_and_csr
from contract.deployment import UNNAMED
from lab.aws.cdk import PROJECT
from stacks.settings import read_settings

Synthesize = Callable[[dict[str, object]], Path]

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

TOPIC = "arn:aws:sns:us-east-1:123456789012:operators"


def feature_flags() -> dict[str, object]:
    """Return the feature flags of the CDK in cdk.json, which its command line gives to the app."""
    context: dict[str, object] = json.loads(Path("cdk.json").read_text())["context"]
    return {name: value for name, value in context.items() if name.startswith("@aws-cdk")}


@pytest.fixture(scope="session")
def csr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate request, as an operator does."""
    return make_key_and_csr("host-1", tmp_path_factory.mktemp("keys"))[1]


@pytest.fixture(scope="session")
def no_settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a file of settings that says nothing, so that none in this folder counts."""
    path = tmp_path_factory.mktemp("settings") / "lora.toml"
    folders = {"codecs": PROJECT / "codecs", "decoder_libraries": PROJECT / "build" / "decoder"}
    path.write_text("".join(f'{key} = "{folder}"\n' for key, folder in folders.items()))
    return path


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory, no_settings: Path) -> Synthesize:
    """Return a function from a context to the folder with its templates."""

    def run(context: dict[str, object]) -> Path:
        context = feature_flags() | {"settings": str(no_settings)} | context
        cdk_app = App(context=context, outdir=str(tmp_path_factory.mktemp("cdk")))
        app.build(cdk_app, read_settings(cdk_app.node, PROJECT))
        return Path(cdk_app.synth().directory)

    return run


@pytest.fixture(scope="session")
def production(synthesize: Synthesize, csr: Path) -> Path:
    """Synthesize a bridge and a consumer, nothing else said: the folder with the templates."""
    return synthesize({"bridges": {"host-1": str(csr)}, "consumers": {"reader": str(csr)}})


@pytest.fixture(scope="session")
def development(synthesize: Synthesize) -> Path:
    """Synthesize for development, with limited retention."""
    return synthesize({"environment": "development", "retention_days": 30})


@pytest.fixture(scope="session")
def guarded(synthesize: Synthesize) -> Path:
    """Synthesize a store that refuses to be deleted, encrypted with the operator's key."""
    return synthesize({"protected": "true", "kms_key": KEY})


@pytest.fixture(scope="session")
def told(synthesize: Synthesize, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthesize with all that tells people, encrypted with the operator's key."""
    intervals = tmp_path_factory.mktemp("intervals") / "mine.toml"
    intervals.write_text('[[interval]]\nevery = "1h"\n')
    return synthesize(
        {
            "alarm_topic": TOPIC,
            "iot_logging": "ERROR",
            "silent_devices": "true",
            "intervals": str(intervals),
            "kms_key": KEY,
        }
    )


@pytest.fixture(scope="session")
def store(production: Path) -> Template:
    """Return the store's template."""
    return template(production, UNNAMED.store_stack)


def template(folder: Path, stack: str) -> Template:
    """Read a synthesized template."""
    return Template.from_string((folder / f"{stack}.template.json").read_text())


@pytest.fixture(scope="session")
def bridge(production: Path) -> Template:
    """Return the template of a bridge's identity."""
    return template(production, UNNAMED.identity_stack("host-1"))


@pytest.fixture(scope="session")
def consumer(production: Path) -> Template:
    """Return the template of a consumer's identity."""
    return template(production, UNNAMED.identity_stack("reader"))


@pytest.fixture(scope="session")
def development_store(development: Path) -> Template:
    """Return the store's template for development."""
    return template(development, UNNAMED.store_stack)
