"""Files of the bridge that are not there, or are not what they should be."""

import shutil
from datetime import timedelta

import pytest

from tests.end_to_end.checked import Configured, check
from tests.end_to_end.conftest import OTHER_BRIDGE

pytestmark = pytest.mark.aws


def test_no_configuration(config: Configured) -> None:
    """A configuration that is not there."""
    check(config.folder / "none.toml").breaks_at("configuration", "none.toml: cannot read")


def test_a_wrong_configuration(config: Configured) -> None:
    """A key of the configuration that nobody knows."""
    check(config({"[spool]": "[spol]"})).breaks_at("configuration", "spol")


def test_a_key_that_others_may_read(config: Configured) -> None:
    """A private key of mode 0644."""
    config.key.chmod(0o644)
    check(config()).breaks_at("key", "mode 0644", f"chmod 600 {config.key}")


def test_no_key(config: Configured) -> None:
    """A private key that is not there."""
    config.key.unlink()
    check(config()).breaks_at("key", "No such file", "keygen")


def test_a_key_that_is_none(config: Configured) -> None:
    """A file that holds something else than a private key."""
    config.key.write_text("no key")
    check(config()).breaks_at("key", "not a private key", "keygen")


def test_the_key_of_another(config: Configured) -> None:
    """A private key to which the certificate does not belong."""
    shutil.copy(config.folder / f"{OTHER_BRIDGE}.key", config.key)
    check(config()).breaks_at(
        "certificate", "not the certificate of .*network-host-1.key", "enroll"
    )


def test_no_certificate(config: Configured) -> None:
    """A certificate that was never fetched."""
    config.certificate.unlink()
    check(config()).breaks_at("certificate", "No such file", "enroll")


def test_a_certificate_that_is_none(config: Configured) -> None:
    """A file that holds something else than a certificate."""
    config.certificate.write_text("no certificate")
    check(config()).breaks_at("certificate", "not a certificate", "enroll")


def test_an_expired_certificate(config: Configured) -> None:
    """A certificate whose time is over."""
    config.sign(timedelta(days=-9), timedelta(days=-1))
    check(config()).breaks_at("certificate", r"expired on \d{4}-", "rotate begin")


def test_a_certificate_of_the_future(config: Configured) -> None:
    """A certificate that is not valid yet, as it seems where the clock is wrong."""
    config.sign(timedelta(days=1), timedelta(days=9))
    check(config()).breaks_at("certificate", "valid from .*, not yet", "clock")
