from __future__ import annotations

import pytest

from guardrails.checks.names import forms, names, read_data
from guardrails.commands import readers
from guardrails.commands.scope import Scope
from guardrails.interface import Shell


def named(text: str, shell: Shell = Shell.BASH) -> list[str]:
    commands = readers.read(text, shell, Scope()).commands
    return [f"{name.kind}:{name.text}" for command in commands for name in names(command)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("systemctl restart nginx.service redis", ["service:nginx.service", "service:redis"]),
        ("systemctl --failed", []),
        ("sudo journalctl -u nginx -n 50 --no-pager", ["service:nginx"]),
        ("journalctl --unit=nginx", ["service:nginx"]),
        ("service nginx status", ["service:nginx"]),
        ("ssh -p 2222 admin@db-7 uptime", ["host:db-7"]),
        ("ssh -i ~/.ssh/id_rsa db-7", ["path:~/.ssh/id_rsa", "host:db-7"]),
        ("ping -c 3 db-7", ["host:db-7"]),
        ("scp report.txt db-7:/tmp/x", ["host:db-7", "path:/tmp/x"]),
        ("rsync -a /data/ backup@store-1:/backup/", ["path:/data/", "host:store-1", "path:/backup/"]),
        ("curl -sf https://user@api.shop.internal:8443/health?x=1", ["host:api.shop.internal"]),
        ("nc -z 10.0.0.9 5432", ["host:10.0.0.9", "host:10.0.0.9"]),
        ("psql -h db-7 -d shop -c 'select 1'", ["host:db-7", "service:shop"]),
        ("redis-cli -h cache-1 INFO memory", ["host:cache-1"]),
        ("kubectl get pods -n prod", ["service:prod"]),
        ("kubectl get pods web-1 -A", ["service:web-1"]),
        ("kubectl rollout restart deployment/web", ["service:web"]),
        ("kubectl logs deploy/web -c app", ["service:app", "service:web"]),
        ("kubectl describe pod -l app=web,tier=front", ["service:web", "service:front"]),
        ("kubectl exec -it web-1 -- cat /etc/hosts", ["service:web-1", "path:/etc/hosts"]),
        ("kubectl drain node-3 --ignore-daemonsets", ["host:node-3"]),
        ("docker logs --tail 20 web", ["service:web"]),
        ("docker ps -a", []),
        ("helm rollback web 3 -n prod", ["service:prod", "service:web"]),
        ("du -sh /data/* > /srv/out.txt", ["path:/srv/out.txt", "path:/data/*"]),
        ("dd if=/dev/sdb of=/srv/image", ["path:/dev/sdb", "path:/srv/image"]),
        ("df -hT --frobnicate", ["flag:--frobnicate"]),
        ("ls -lahQ -20 --col", []),
        ("ls -lJ", ["flag:-lJ"]),
        ("mytool --frobnicate", []),
        ("find . -exec grep -qH x {} +", []),
        ("ls | xargs -0 rm -rf", []),
        ("docker exec -it web psql --frobnicate -h db-7", ["service:web", "flag:--frobnicate", "host:db-7"]),
        ("pkill -SIGKILL web", ["service:web"]),
        ("find /var/log -name '*.gz' -newermt yesterday -frob", ["flag:-frob", "path:/var/log"]),
        ("grep -rn error /var/log/app.log", ["path:/var/log/app.log"]),
        ("cat $FILE <service> my-service", []),
        ("systemctl restart your-service && kill NUMBER", []),
        ("for h in a1 b1; do ping $h; done", ["host:a1", "host:b1"]),
        ("echo 'DROP TABLE x' | mysql -h db-7", ["host:db-7"]),
    ],
)
def test_names_are_found_where_they_stand(text: str, expected: list[str]) -> None:
    """By the command's own form, and URLs, addresses and paths anywhere; what a person is to fill in is no name."""
    assert named(text) == expected


@pytest.mark.parametrize(
    ("text", "shell", "expected"),
    [
        ("Restart-Service -Name Spooler -Force", Shell.POWERSHELL, ["service:Spooler"]),
        ("Get-Service W32Time | Restart-Service", Shell.POWERSHELL, ["service:W32Time"]),
        ("Invoke-Command -ComputerName web-7 -ScriptBlock {}", Shell.POWERSHELL, ["host:web-7"]),
        ("Get-Content 'D:\\Logs\\app.log'", Shell.POWERSHELL, ["path:D:\\Logs\\app.log"]),
        ("sc query spooler", Shell.CMD, ["service:spooler"]),
        ("DROP TABLE orders;", Shell.SQL, []),
    ],
)
def test_windows_names_its_own_way(text: str, shell: Shell, expected: list[str]) -> None:
    """Cmdlets take names by parameter or by place."""
    assert named(text, shell) == expected


def test_every_form_is_of_words_that_mean_something() -> None:
    """A slip in the data files would silently name nothing."""
    kinds = {"any", "code", "host", "service", "typed", "typed1", "target", "label"}
    for name, form in forms().items():
        places = {place.rstrip("*") for words in (form.words, *(form.verbs or {}).values()) for place in words}
        assert places <= kinds, name
        assert {*(form.options or {}).values()} <= kinds, name
        assert name == name.lower()
        for option in form.options or {}:
            assert not form.known or option in form.known or option.islower(), (name, option)


def test_options_are_listed_once() -> None:
    """YAML takes the last of two without a word."""
    text = [line for line in open_lines() if line and line[0].isalpha()]
    assert len(text) == len(set(text)) == len(read_data("options.yaml"))


def open_lines() -> list[str]:
    from importlib.resources import files  # noqa: PLC0415 - for this alone

    return files("guardrails.checks").joinpath("options.yaml").read_text(encoding="utf-8").splitlines()
