"""``python -P mended.py``: runs MiniStack, mended where it differs from AWS.

Of the filters of Lambda's event sources it takes ``exists: false`` for wrong where what is above
the field is missing, too. Its own matcher of EventBridge, whose rules AWS has for both, does not.

It does not tell policies the namespace of a metric that is written.

As root it listens on port 443, too, for Cognito. Two that start at once take it from one another,
and end.
"""

import json

from ministack import app
from ministack.core import iam_actions
from ministack.services import eventbridge, lambda_svc

_context_of_tags = iam_actions.request_tag_context


def _context(
    service: str, action: str, body: bytes, parameters: dict[str, object]
) -> dict[str, object]:
    context: dict[str, object] = _context_of_tags(service, action, body, parameters)
    if action == "cloudwatch:PutMetricData":
        context["cloudwatch:namespace"] = json.loads(body)["Namespace"]
    return context


iam_actions.request_tag_context = _context
lambda_svc._match_esm_filter = eventbridge._matches_detail  # noqa: SLF001  # there is no other way

app._port_is_bindable = lambda _host, _port: False  # noqa: SLF001  # asked about 443 alone

if __name__ == "__main__":
    app.main()
