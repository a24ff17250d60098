"""AWS IoT logs what is asked for, with a role that does nothing else."""

from tests.stacks.conftest import Synthesize, template


def test_only_aws_iot_of_this_account_assumes_the_role(synthesize: Synthesize) -> None:
    """The level is set, and the trust names this account and region."""
    logging = template(synthesize({"iot_logging": "warn"}), "LoraIotLogging")
    logging.has_resource_properties("AWS::IoT::Logging", {"DefaultLogLevel": "WARN"})
    own = ["arn:", {"Ref": "AWS::Partition"}, ":iot:", {"Ref": "AWS::Region"}, ":"]
    own += [{"Ref": "AWS::AccountId"}, ":*"]
    (role,) = logging.find_resources("AWS::IAM::Role").values()
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "iot.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
        "ArnLike": {"aws:SourceArn": {"Fn::Join": ["", own]}},
    }
