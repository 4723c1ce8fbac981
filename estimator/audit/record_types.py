"""The workload of a record by its RecordType, number or name, where a row has nothing else to tell it by.

Source: the schema of the Management Activity API (AuditLogRecordType), and record_types seen with their workload in
real exports (Sentinel writes names and numbers into one column). SharePointFileOperation (6) is OneDrive's too; which
of the two it is only AuditData says.
"""

from __future__ import annotations

from typing import Final

_TYPES: Final = {
    (1, "ExchangeAdmin"): "Exchange",
    (2, "ExchangeItem"): "Exchange",
    (3, "ExchangeItemGroup"): "Exchange",
    (4, "SharePoint"): "SharePoint",
    (6, "SharePointFileOperation"): "SharePoint",
    (8, "AzureActiveDirectory"): "AzureActiveDirectory",
    (14, "SharePointSharingOperation"): "SharePoint",
    (15, "AzureActiveDirectoryStsLogon"): "AzureActiveDirectory",
    (18, "SecurityComplianceCenterEOPCmdlet"): "SecurityComplianceCenter",
    (22, "Yammer"): "Yammer",
    (25, "MicrosoftTeams"): "MicrosoftTeams",
    (32, "MicrosoftStream"): "MicrosoftStream",
    (36, "SharePointListOperation"): "SharePoint",
    (50, "ExchangeItemAggregated"): "Exchange",
    (56, "SharePointFieldOperation"): "SharePoint",
    (101, "ExchangeSearch"): "Exchange",
    (102, "SharePointSearch"): "SharePoint",
}

#: Workload by `2` and by `ExchangeItem`.
WORKLOADS: Final = {name: workload for key, workload in _TYPES.items() for name in (str(key[0]), key[1])}
