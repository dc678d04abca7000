"""Tasks of a playbook that do what a command does: `file: path=/srv state=absent`, spread over lines or on one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from guardrails.commands.embedded import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from guardrails.commands.literals import Value


class _Task(NamedTuple):
    """A module's states that destroy, and the command that does the same to what `keys` name."""

    states: frozenset[str]
    keys: tuple[str, ...]
    command: str


_ABSENT = frozenset({"absent"})
_GONE = frozenset({"absent", "deleted", "terminated"})
_SERVICE = _Task(frozenset({"stopped"}), ("name", "service"), "systemctl stop {}")
_DATABASE = _Task(_ABSENT, ("name", "db"), "dropdb {}")
_VOLUME = _Task(_ABSENT, ("name",), "docker volume rm {}")
_CLOUD = _Task(_GONE, ("name", "instance_ids", "id"), "aws api delete-{}")
_TASKS = {
    "file": _Task(_ABSENT, ("path", "dest", "name"), "rm -rf {}"),
    **dict.fromkeys(("service", "systemd", "systemd_service"), _SERVICE),
    "user": _Task(_ABSENT, ("name", "user"), "userdel {}"),
    "group": _Task(_ABSENT, ("name",), "groupdel {}"),
    "filesystem": _Task(frozenset({"present", ""}), ("dev", "device"), "mkfs {}"),
    "parted": _Task(_ABSENT, ("device",), "parted {} rm 1"),
    "lvol": _Task(_ABSENT, ("lv",), "lvremove {}"),
    "lvg": _Task(_ABSENT, ("vg",), "vgremove {}"),
    **dict.fromkeys(("postgresql_db", "mysql_db", "mongodb_db"), _DATABASE),
    **dict.fromkeys(("docker_volume", "podman_volume"), _VOLUME),
    "k8s": _Task(_ABSENT, ("name", "src"), "kubectl delete namespace {}"),
    "helm": _Task(_ABSENT, ("name", "release_name"), "helm uninstall {}"),
    **dict.fromkeys(("ec2_instance", "ec2", "rds_instance", "s3_bucket"), _CLOUD),
    "reboot": _Task(frozenset({""}), (), "reboot"),
}
_MODULE = re.compile(
    rf"^[ \t]*(?:-[ \t]+)?(?:\w+\.\w+\.)?(?P<module>{'|'.join(_TASKS)}):(?P<rest>[^\n]*)", re.MULTILINE
)
_KEY = re.compile(r"^[ \t]*(?P<item>-[ \t]+)?(?P<key>[\w.]+):[ \t]*(?P<value>[^\n#{]*)", re.MULTILINE)
_PAIR = re.compile(r"(\w+)=(\"[^\"]*\"|'[^']*'|\S+)")
_MODULE_KEY, _PREFIX = "task module", "task "
_MOST = 200


def tasks_of(source: str, known: MutableMapping[str, Value]) -> list[Piece]:
    """Command lines that do what tasks do, each mapped to the line that settles it.

    Args:
        source: Some lines of YAML.
        known: What earlier lines of the same task said; kept up to date.
    """
    if ":" not in source or not (_MODULE_KEY in known or _MODULE.search(source)):
        return []
    found: list[Piece] = []
    for number, match in enumerate(_KEY.finditer(source)):
        if number > _MOST:
            break
        module = _MODULE.match(source, match.start())
        if module is not None:
            _forget(known)
            known[_MODULE_KEY] = module["module"]
            for key, value in _PAIR.findall(module["rest"]):
                known[_PREFIX + key] = value.strip("\"'")
        elif match["item"]:
            _forget(known)
            continue
        elif _MODULE_KEY in known:
            known[_PREFIX + match["key"]] = match["value"].strip().strip("\"'")
        found += [Piece(t, [match.start()] * len(t), [match.end()] * len(t), joined=True) for t in _settled(known)]
    return found


def _settled(known: MutableMapping[str, Value]) -> Iterator[str]:
    """The command of a task, as soon as its state and what it falls on are known."""
    task = _TASKS.get(str(known.get(_MODULE_KEY, "")))
    if task is None or known.get(_PREFIX + "state", "") not in task.states:
        return
    named = next((known[_PREFIX + key] for key in task.keys if known.get(_PREFIX + key)), None)
    if named is None and task.keys:
        return
    _forget(known)
    word = str(named or "")
    if re.fullmatch(r"[\w@%+=:,./~*-]*", word):
        yield task.command.format(word)


def _forget(known: MutableMapping[str, Value]) -> None:
    for key in [key for key in known if key.startswith(_PREFIX)]:
        del known[key]
