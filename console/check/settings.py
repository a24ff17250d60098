"""The link that compares the settings on file with those that were deployed."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from codec.digest import codecs_digest
from console.check.chain import BrokenError, NotTriedError
from console.deployment import outputs_of_all
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.names import SETTINGS_OUTPUT, IdentityKind
from contract.settings import (
    SETTINGS_FILE,
    Declared,
    load,
    stated_by_identity,
    stated_by_store,
)

_DEPLOY = (
    "deploy what is on file, npx cdk deploy --all, or put into it what is deployed; what is no"
    " longer on file, npx cdk destroy removes as long as it is there"
)
_MEND = "mend the file, or name another with --settings"

Stated = dict[str, object]
"""Settings by their keys: those of tables are as TOML has them, ``bridges.NAME``."""


def compared(path: Path | None) -> str:
    """Compare a file, or lora.toml in this folder, with what its deployment was deployed with.

    Raises:
        BrokenError: they differ, or the file has a mistake.
        NotTriedError: there is no file, or AWS does not tell.

    """
    found = path or Path(SETTINGS_FILE)
    if path is None and not found.exists():
        raise NotTriedError(f"no {SETTINGS_FILE} here, which names what was to be deployed")
    try:
        declared = load(found)
        on_file = _on_file(declared)
    except BridgeError as error:
        raise BrokenError(str(error), _MEND) from None
    deployment = Deployment(declared.deployment)
    differing = list(differences(on_file, _deployed(deployment)))
    if differing:
        raise BrokenError("; ".join(differing), _DEPLOY)
    return f"{found} is as {deployment.store_stack} and its identities were deployed"


def differences(on_file: Stated, deployed: Stated) -> Iterator[str]:
    """Yield each key that differs, with both values."""
    # A version that did not know a key did what is the default now.
    before = stated_by_store(Declared(), "") | deployed
    for key in sorted(on_file.keys() | before.keys()):
        ours, theirs = on_file.get(key), before.get(key)
        if ours != theirs:
            yield f"{key}: {_shown(ours)} on file, {_shown(theirs)} deployed"


def _shown(value: object) -> str:
    return "nothing" if value is None else json.dumps(value)


def _on_file(declared: Declared) -> Stated:
    stated = stated_by_store(declared, codecs_digest(Path(declared.codecs)))
    kinds = {IdentityKind.BRIDGE: declared.bridges, IdentityKind.CONSUMER: declared.consumers}
    for kind, names in kinds.items():
        for name in names:
            csrs = {_csr(each) for each in declared.csr_files(name)}
            stated |= stated_by_identity(
                *(kind, name, csrs, declared.euis(name)),
                basic_ingest=name in declared.basic_ingest,
                sends_to=declared.euis_to_send(name),
            )
    return stated


def _csr(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise BridgeError(f"{path}: cannot read the CSR") from None


def _deployed(deployment: Deployment) -> Stated:
    try:
        stacks = outputs_of_all()
    except BridgeError as error:
        raise NotTriedError(str(error)) from None
    if SETTINGS_OUTPUT not in stacks.get(deployment.store_stack, {}):
        raise NotTriedError(
            f"no stack {deployment.store_stack} that says what it was deployed with: deploy it"
            " again with this version"
        )
    stated: Stated = {}
    for name, outputs in stacks.items():
        ours = name == deployment.store_stack or name.startswith(deployment.identity_stack(""))
        if ours and SETTINGS_OUTPUT in outputs:
            stated |= msgspec.json.decode(outputs[SETTINGS_OUTPUT], type=dict[str, object])
    return stated
