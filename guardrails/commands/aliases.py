"""PowerShell's built-in aliases for the cmdlets that rules speak of."""

from __future__ import annotations

_BY_CMDLET = {
    "remove-item": "ri rm rmdir del erase rd",
    "get-childitem": "gci dir ls",
    "get-item": "gi",
    "clear-content": "clc",
    "clear-item": "cli",
    "clear-itemproperty": "clp",
    "set-content": "sc",
    "move-item": "mi mv move",
    "copy-item": "cpi cp copy",
    "rename-item": "rni ren",
    "remove-itemproperty": "rp",
    "invoke-expression": "iex",
    "invoke-webrequest": "iwr wget curl",
    "invoke-restmethod": "irm",
    "invoke-command": "icm",
    "foreach-object": "foreach %",
    "where-object": "where ?",
    "stop-process": "kill spps",
    "stop-service": "spsv",
    "start-process": "saps start",
    "set-executionpolicy": "sep",
    "get-wmiobject": "gwmi",
    "get-ciminstance": "gcim",
    "remove-ciminstance": "rcim",
    "remove-wmiobject": "rwmi",
    "invoke-wmimethod": "iwmi",
    "get-process": "gps ps",
    "get-service": "gsv",
    "remove-psdrive": "rdr",
    "remove-variable": "rv",
    "clear-recyclebin": "",
    "pwsh": "powershell",
}
ALIASES = {alias: cmdlet for cmdlet, aliases in _BY_CMDLET.items() for alias in aliases.split()}
