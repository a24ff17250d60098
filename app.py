"""The CDK app: one store, an identity for each bridge and consumer, and the log of AWS IoT."""

import sys
from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from stacks.identity import IdentityStack
from stacks.iot_logging import IotLoggingStack
from stacks.settings import Settings, SettingsError, read_settings
from stacks.store import StoreStack


def build(app: App, settings: Settings) -> None:
    """Declare every stack under ``app``, checked by the AwsSolutions rules."""
    store = StoreStack(app, settings)
    if settings.iot_logging:
        IotLoggingStack(app, settings.iot_logging)
    for identity in settings.identities:
        IdentityStack(app, identity, store.rule_name)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def main() -> None:
    """Synthesize what the context asks for, or say in one line what is wrong with it."""
    app = App()
    try:
        settings = read_settings(app.node, Path.cwd())
    except SettingsError as error:
        sys.exit(str(error))
    build(app, settings)
    app.synth()


if __name__ == "__main__":
    main()
