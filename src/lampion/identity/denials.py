"""What AWS says to whom a request is denied. Pure.

Docs: IAM user guide, "Troubleshoot access denied error messages".
"""

from typing import Final

from lampion.identity.evaluation import PolicyType, Request, Verdict

_ARTICLES: Final = {PolicyType.IDENTITY: "an"}


def denial(request: Request, verdict: Verdict) -> str:
    """The sentence for a verdict that isn't "allowed". One kind of policy is named, as on AWS, even where more deny."""
    assert verdict.by is not None
    told = (
        f"User: {request.caller.arn or 'anonymous'} is not authorized to perform: {request.action} "
        f"on resource: {request.told or request.resource}"
    )
    if not verdict.is_explicit:
        return f"{told} because no {verdict.by.value} allows the {request.action} action"
    return f"{told} with an explicit deny in {_ARTICLES.get(verdict.by, 'a')} {verdict.by.value}"
