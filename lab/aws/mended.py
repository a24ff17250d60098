"""``python -P mended.py``: runs MiniStack, mended where it differs from AWS.

Of the filters of Lambda's event sources it takes ``exists: false`` for wrong where what is above
the field is missing, too. Its own matcher of EventBridge, whose rules AWS has for both, does not.
"""

from ministack.app import main
from ministack.services import eventbridge, lambda_svc

lambda_svc._match_esm_filter = eventbridge._matches_detail  # noqa: SLF001  # there is no other way

if __name__ == "__main__":
    main()
