"""The CDK app: one store, an identity for each bridge and consumer, and the log of AWS IoT."""

import sys
from pathlib import Path

from aws_cdk import App, Stack, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from stacks.identity import IdentityStack
from stacks.iot_logging import IotLoggingStack
from stacks.settings import Settings, SettingsError, read_settings
from stacks.store import StoreStack


def build(app: App, settings: Settings) -> None:
    """Declare every stack under ``app``, tagged, and checked by the AwsSolutions rules."""
    store = StoreStack(app, settings)
    stacks: list[Stack] = [store]
    if settings.iot_logging:
        stacks.append(IotLoggingStack(app, settings.deployment, settings.iot_logging))
    stacks += [
        IdentityStack(app, settings.deployment, identity, store.rule_name)
        for identity in settings.identities
    ]
    for stack in stacks:
        Tags.of(stack).add("project", "lora-bridge")
        Tags.of(stack).add("stack", stack.stack_name)
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
