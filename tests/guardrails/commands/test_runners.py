"""Tools that run a command somewhere else."""

from __future__ import annotations

import pytest

from guardrails.commands import readers
from guardrails.interface import Shell

RUNS = [
    "ansible all -m shell -a 'reboot -f'",
    "ansible all --args='reboot -f'",
    "salt '*' cmd.run 'reboot -f'",
    "pdsh -w web[1-3] reboot -f",
    "clush -a 'reboot -f'",
    "pssh -h hosts -i 'reboot -f'",
    "knife ssh 'role:db' 'reboot -f'",
    "bolt command run 'reboot -f' --targets db",
    "fab -H web1 -- reboot -f",
    "gcloud compute ssh vm --zone z --command 'reboot -f'",
    "gcloud compute ssh vm -- reboot -f",
    "az vm run-command invoke -g g -n v --command-id RunShellScript --scripts 'reboot -f'",
    "aws ecs execute-command --cluster c --task t --interactive --command 'reboot -f'",
    "vagrant ssh -c 'reboot -f'",
    "heroku run reboot -f",
    "fly ssh console -C 'reboot -f'",
    "multipass exec vm -- reboot -f",
    "pct exec 100 -- reboot -f",
    "qm guest exec 100 -- reboot -f",
    "nomad alloc exec 1234 reboot -f",
    "tsh ssh root@db reboot -f",
    "tmux send-keys -t s 'reboot -f' Enter",
    "tmux new-session -d reboot -f",
    "screen -dmS x reboot -f",
    "xterm -e reboot -f",
    "gnome-terminal -- reboot -f",
    "nix-shell -p x --run 'reboot -f'",
    "direnv exec . reboot -f",
    "poetry run reboot -f",
    "bundle exec reboot -f",
    "npm exec -- reboot -f",
    "npx -c 'reboot -f'",
    "watchexec -e py reboot -f",
    "nodemon --exec 'reboot -f'",
    "git bisect run reboot -f",
    "git submodule foreach 'reboot -f'",
    "git rebase --exec 'reboot -f' HEAD~2",
    "sed '1e reboot -f' f",
    "gdb -batch -ex 'shell reboot -f'",
    "gdb --args reboot -f",
    "expect -c 'spawn reboot -f'",
    "less '+!reboot -f' f",
    "ip netns exec ns1 reboot -f",
    "perf stat -- reboot -f",
    "arch-chroot /mnt reboot -f",
    "setpriv --reuid 0 reboot -f",
    "rails runner 'system(\"reboot -f\")'",
]


@pytest.mark.parametrize("text", RUNS)
def test_a_command_is_seen_through_what_runs_it(text: str) -> None:
    """By an option, behind `--`, behind operands, or behind a mark inside a word."""
    ran = [[w.shape for w in c.argv] for c in readers.read(text).commands]
    assert ["reboot", "-f"] in ran, ran


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("/etc/init.d/nginx stop", ["service", "nginx", "stop"]),
        ("invoke-rc.d ssh stop", ["service", "ssh", "stop"]),
        ("poetry run sh -c 'reboot -f; halt'", ["halt"]),
    ],
)
def test_what_runs_is_told_apart(text: str, argv: list[str]) -> None:
    """A start script is the service it starts; quoted code stays one word."""
    assert argv in [[w.shape for w in c.argv] for c in readers.read(text).commands]


@pytest.mark.parametrize(
    "text",
    [
        "npm run build",
        "npm run $SCRIPT",
        "tmux attach -t x",
        "screen -r x",
        "vagrant ssh web",
        "git rebase main",
        "gcloud compute instances list",
        "less f",
        "make clean",
        "sed -n 1p f",
        "heroku logs --tail",
        "poetry install",
    ],
)
def test_what_runs_nothing_else_stands_alone(text: str) -> None:
    """A script's name is no command, and no other subcommand runs one."""
    assert len(readers.read(text).commands) == 1


def test_a_service_script_runner_without_a_service_runs_nothing() -> None:
    """`invoke-rc.d` alone is read as the command that it is."""
    assert [command.name for command in readers.read("invoke-rc.d", Shell.BASH).commands] == ["invoke-rc.d"]
