"""What credentials may do is asked of IAM, and not guessed."""

import json

import boto3
import pytest

from console.web.rights import May, may_send, may_test
from console.web.site import Site
from contract.silence import Intervals
from lab.aws.bare_store import BareStore
from tests.console.web.rows import MINUTE
from tests.console.web.test_path import NOW, site

pytestmark = pytest.mark.aws


def pages(store: BareStore, now: int = NOW) -> Site:
    """Return the site of a store."""
    watcher = site().watcher
    return Site(store.deployment, store.uplinks, Intervals(), watcher, None, None, lambda: now)


def use(monkeypatch: pytest.MonkeyPatch, key: str, secret: str, token: str | None = None) -> None:
    """Go on with other credentials."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(key, secret, token))


def policy(*statements: tuple[str, str]) -> str:
    """Return a policy that allows actions on resources."""
    allowed = [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": allowed})


_ASK = ("iam:SimulatePrincipalPolicy", "*")


def test_root(store: BareStore) -> None:
    """IAM cannot tell of root."""
    assert may_send(pages(store), "a/d") is May.UNKNOWN
    assert may_test(pages(store)) is May.UNKNOWN


def test_a_user(store: BareStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may send to the devices of one application alone, and remove no row."""
    iam = boto3.client("iam")
    iam.create_user(UserName="sender")
    root = store.deployment.topic_root
    topics = ("iot:Publish", f"arn:aws:iot:*:*:topic/{root}/a/*")
    iam.put_user_policy(UserName="sender", PolicyName="p", PolicyDocument=policy(topics, _ASK))
    key = iam.create_access_key(UserName="sender")["AccessKey"]
    use(monkeypatch, key["AccessKeyId"], key["SecretAccessKey"])
    assert may_send(pages(store), "a/d") is May.YES
    assert may_send(pages(store), "b/d") is May.NO
    assert may_test(pages(store)) is May.NO


def test_a_right_that_is_given(store: BareStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who gets it later need not start the pages anew, and IAM is asked once a minute."""
    iam = boto3.client("iam")
    iam.create_user(UserName="newcomer")
    iam.put_user_policy(UserName="newcomer", PolicyName="p", PolicyDocument=policy(_ASK))
    key = iam.create_access_key(UserName="newcomer")["AccessKey"]
    use(monkeypatch, key["AccessKeyId"], key["SecretAccessKey"])
    assert (may_send(pages(store), "a/d"), may_test(pages(store))) == (May.NO, May.NO)
    given = policy(_ASK, ("iot:Publish", "*"), ("dynamodb:DeleteItem", "*"))
    iam.put_user_policy(UserName="newcomer", PolicyName="p", PolicyDocument=given)
    assert (may_send(pages(store), "a/d"), may_test(pages(store))) == (May.NO, May.NO)
    later = pages(store, NOW + MINUTE)
    assert (may_send(later, "a/d"), may_test(later)) == (May.YES, May.YES)


def test_a_role(store: BareStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whoever has assumed a role, that role is asked about."""
    iam = boto3.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=document)["Role"]
    allowed = policy(("iot:Publish", "*"), _ASK, ("iam:GetRole", "*"))
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=allowed)
    assumed = boto3.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="someone")
    key = assumed["Credentials"]
    use(monkeypatch, key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    assert may_send(pages(store), "a/d") is May.YES
    assert may_test(pages(store)) is May.NO
