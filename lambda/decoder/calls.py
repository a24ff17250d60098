"""Calls of AWS: what may be tried again, what may not, and whether a condition held."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from decoder.batch import AwsError

_CONDITION = "ConditionalCheckFailedException"
_OF_THE_REQUEST = {
    *("ValidationException", "SerializationException"),  # DynamoDB
    *("InvalidRequestException", "RequestEntityTooLargeException"),  # AWS IoT
}
"""Errors that are about what was asked for, and would come each time."""


def unless_refused(write: Callable[[], object]) -> bool:
    """Write, and say whether the condition held.

    Raises:
        AwsError: as ``of_aws`` does.

    """
    try:
        with of_aws():
            write()
    except ClientError as error:
        if _code(error) != _CONDITION:
            raise
        return False
    return True


@contextmanager
def of_aws() -> Iterator[None]:
    """Tell what AWS does not do now from what it would never do.

    Raises:
        AwsError: it does not do it now. What it never does is an error of the SDK.

    """
    try:
        yield
    except ParamValidationError:
        raise
    except BotoCoreError as error:
        raise AwsError(str(error)) from error
    except ClientError as error:
        if _code(error) in {_CONDITION, *_OF_THE_REQUEST}:
            raise
        raise AwsError(str(error)) from error


def _code(error: ClientError) -> str | None:
    return error.response.get("Error", {}).get("Code")
