"""Playbooks' tasks."""

from __future__ import annotations

import time

import pytest

from guardrails.guard import Guard
from guardrails.interface import Channel
from guardrails.policy import load_policy

GUARD = Guard(load_policy(None), clock=time.monotonic)


@pytest.mark.parametrize(
    "task",
    [
        "- name: clean\n  ansible.builtin.file:\n    path: /var/lib/mysql\n    state: absent",
        "- name: clean\n  file:\n    state: absent\n    path: /",
        "- file: path=/etc state=absent",
        "- name: stop\n  service:\n    name: postgresql\n    state: stopped",
        "- user: name=ann state=absent",
        "- community.general.filesystem:\n    fstype: ext4\n    dev: /dev/sdb",
        "- shell: rm -rf /srv/*",
        "- name: now\n  ansible.builtin.reboot:",
    ],
)
def test_a_task_that_destroys_is_stopped(task: str) -> None:
    """On one line or on several, whichever key comes first."""
    assert GUARD.examine(f"Use this play:\n\n```yaml\n{task}\n```\n", Channel.OUTPUT).action.stops


@pytest.mark.parametrize(
    "task",
    [
        "- name: dir\n  file:\n    path: /var/lib/app\n    state: directory",
        "- file: path=/tmp/build state=absent",
        "- file:\n    path: /etc/app\n    state: touch\n- name: b\n  package:\n    name: x\n    state: absent",
        "- name: start\n  service:\n    name: postgresql\n    state: started",
        "- service: name=my-batch state=stopped",
        "- user: name=ann state=present",
        "kind: Pod\nspec:\n  file: x\n  state: absent",
    ],
)
def test_a_task_that_does_not_passes(task: str) -> None:
    """Another state, a scratch directory, keys of another task."""
    verdict = GUARD.examine(f"Use this play:\n\n```yaml\n{task}\n```\n", Channel.OUTPUT)
    assert not verdict.action.stops, verdict.findings
