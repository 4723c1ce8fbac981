"""Documents of Elastic's `o365.audit`: search hits, dumps, CSV of Discover, and events not yet through the pipeline.

`event.original` is the record as it came, if the integration was told to preserve it; else the parsed fields are left.
Source: elastic/integrations, packages/o365.
"""

from __future__ import annotations

from estimator.audit.shape import Recogniser, Unit, is_record, parsed


def _claims(one: Unit) -> bool:
    if is_record(one("o365audit")):
        return True
    return is_record(parsed(one("event.original"))) or one.has("o365.audit.Operation", "o365.audit.CreationTime")


SHAPE = Recogniser(
    kind="audit-elastic",
    title="Elastic o365.audit documents",
    claims=_claims,
    record=("event.original", "o365audit"),
    wrappers=("_source",),
    fields={
        "CreationTime": ("o365.audit.CreationTime", "@timestamp"),
        "Id": ("o365.audit.Id", "event.id"),
        "Operation": ("o365.audit.Operation", "event.action"),
        "Workload": ("o365.audit.Workload", "event.provider"),
        "RecordType": ("o365.audit.RecordType",),
        "UserId": ("o365.audit.UserId", "user.id"),
        "MailboxOwnerUPN": ("o365.audit.MailboxOwnerUPN",),
        "SiteUrl": ("o365.audit.SiteUrl",),
        "ClientAppId": ("o365.audit.ClientAppId",),
        "AppId": ("o365.audit.AppId",),
        "ApplicationId": ("o365.audit.ApplicationId",),
        "OperationCount": ("o365.audit.OperationCount",),
        "AffectedItems": ("o365.audit.AffectedItems",),
        "Folders": ("o365.audit.Folders",),
        "OperationProperties": ("o365.audit.OperationProperties",),
    },
    size="document",
    feed="elastic-o365",
    order=20,
)
