"""The bash reader: one command tree with what each command really runs, folded as far as the text tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.commands.budget import Budget, BudgetExceeded
from guardrails.commands.readers import read
from guardrails.commands.tree import UNKNOWN

if TYPE_CHECKING:
    from guardrails.commands.scope import Scope


def run(text: str, scope: Scope | None = None) -> list[str]:
    """What a text runs, words joined by `|`."""
    return ["|".join(w.shape for w in c.argv) for c in read(text, scope=scope).commands]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo 'a b' \"c d\" e\\ f", "echo|a b|c d|e f"),
        (r"echo $'\t\x41\101é'", "echo|\tAAé"),
        ("echo {a,b}{1..3}", "echo|a1|a2|a3|b1|b2|b3"),
        ("echo {c..a} {1..10..4} {a} '{a,b}'", "echo|c|b|a|1|5|9|{a}|{a,b}"),
        ("x='a b'; echo $x \"$x\" '$x'", "echo|a|b|a b|$x"),
        ("echo ${HOME:0:1} ${HOME} $PWD", "echo|/|~|."),
        ("x=abc; echo ${x:1} ${x:0:2} ${#x} ${x^^} ${x/b/d} ${x//c/} ${x#a} ${x%c}", "echo|bc|ab|3|ABC|adc|ab|bc|ab"),
        ("x=; echo ${x:-d} ${y:-d} ${y-d} ${z+e} ${x+e}", "echo|d|d|d|e"),
        ("x=Abc; echo ${x,,} ${x,} ${x#*b} ${x/[A]/b}", "echo|abc|abc|c|bbc"),
        ("x=y; y=z; echo ${!x} ${q} $1 $$ ${x[1]}", f"echo|z|{UNKNOWN}|{UNKNOWN}|{UNKNOWN}|{UNKNOWN}"),
        ('a=(x y); echo ${a[@]} "${a[@]}"', "echo|x|y|x|y"),
        ("echo $(echo a b) \"$(echo a b)\" `printf '%s-%s' a b`", "echo|a|b|a b|a-b"),
        ("echo $(date) a$(date)b", f"echo|{UNKNOWN}|a{UNKNOWN}b"),
        ('echo "a ${x:=b} " $((1)) $((1+x))', f"echo|a b |1|{UNKNOWN}"),
        ("set -- a b; echo $1 $2 $3 $@ $#; ", "echo|a|b|a|b|2"),
        ("set a b; shift; echo $1", "echo|b"),
        ("read -r a b <<< 'x y z'; echo $a $b", "echo|x|y|z"),
        ("export A=1; declare B=$A; unset A; echo x$A $B", "echo|x|1"),
        ("x=a; x+=b; echo $x", "echo|ab"),
        ("for i in a b; do :; done; echo $i", "echo|b"),
        ("if a; then x=1; else x=2; fi; echo $x", "echo|2"),
        ("echo ~/x ~root * [ab]", "echo|~/x|~root|*|[ab]"),
        ("echo -e 'a\\nb' | cat", "cat"),
        ("echo <(ls)", f"echo|/dev/fd/{UNKNOWN}"),
    ],
)
def test_words_are_folded(text: str, words: str) -> None:
    """Constants become what they stand for; the rest stays marked as unknown."""
    assert run(text)[-1] == words


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("sudo -u x ls", "ls"),
        ("env -i A=1 ls", "ls"),
        ("env -S 'ls -l' x", "ls|-l|x"),
        ("time -p ls", "ls"),
        ("timeout -s 9 5 ls", "ls"),
        ("xargs -n 1 -I{} ls {}", f"ls|{UNKNOWN}"),
        ("echo a b | xargs ls", "ls|a|b"),
        ("find a b -name '*.x' -exec ls {} +", "ls|b/some/*.x"),
        ("find . -delete", "rm|-r|."),
        ("script -c 'ls a'", "ls|a"),
        ("ssh -p 1 h ls -l", "ls|-l"),
        ("docker run --rm -v a:b img ls", "ls"),
        ("kubectl exec p -c c -- ls", "ls"),
        ("su -c ls - u", "ls"),
        ("flock -n /l ls", "ls"),
        ("flock /l -c 'ls a'", "ls|a"),
        ("watch -n 1 ls -l", "ls|-l"),
        ("parallel ls {} ::: a", "ls|a"),
        ("trap ls EXIT", "ls"),
        ("bash -xc 'ls $1' _ a", "ls|a"),
        ("eval ls '-l'", "ls|-l"),
        ("nice -n 5 ionice -c 3 ls", "ls"),
        ("python3 -c 'import os; os.system(\"ls a\")'", "ls|a"),
        ("exec -a x ls", "ls"),
        ('perl -e \'system("ls", "a")\'', "ls|a"),
        ("echo ls | sh", "ls"),
        ("sh < <(echo ls)", "ls"),
        ("coproc ls", "ls"),
        ("sh -s <<< ls", "ls"),
        (". <(echo ls)", "ls"),
        ("f() { ls $1; }; f a", "ls|a"),
        ("alias l='ls -l'; l a", "ls|-l|a"),
        ("echo bHM= | base64 -d | sh", "ls"),
        ("echo 6c73 | xxd -r -p | sh", "ls"),
        ("echo sl | rev | bash", "ls"),
        ("cat <<E | sh\nls $HOME\nE", "ls|~"),
        ("cat <<'E' | sh\nls $x\nE", f"ls|{UNKNOWN}"),
        ("echo ls >f; sh f", "ls"),
        ("echo ls | tee f >/dev/null; . ./f", "ls"),
        ("command ls", "ls"),
        ("nsenter -t 4 -m ls", "ls"),
        ("ssh h <<< ls", "ls"),
        ("printf ls | su", "ls"),
        ("parallel ::: 'ls a'", "ls|a"),
        ("busybox ls", "ls"),
    ],
)
def test_a_wrapper_is_seen_through(text: str, inner: str) -> None:
    """What a command runs in its turn is a command of the tree."""
    assert run(text)[-1] == inner


@pytest.mark.parametrize(
    "text", ["command -v ls", "trap - EXIT", "sh x.sh", "sh < x.sh", "crontab -l", "sudo -l", "bash"]
)
def test_what_runs_nothing_else_stands_alone(text: str) -> None:
    """A wrapper without a command is one command."""
    assert len(run(text)) == 1


def test_commands_know_what_they_read_and_through_what_they_run() -> None:
    """Pipes lead back to their sources, wrappers are listed outermost first."""
    commands = read("curl x | sudo nice tee f").commands
    assert [c.name for c in commands[-1].stdin] == ["curl"]
    assert commands[-1].wrappers == ("sudo", "nice")


def test_redirections_belong_to_the_command_they_serve() -> None:
    """Those before, behind and around it; extra words behind one are the command's."""
    command = read("{ >a ls 2>b x; } >c").commands[0]
    assert [r.target.text for r in command.redirects] == ["c", "b", "a"] or {
        r.target.text for r in command.redirects
    } == {"a", "b", "c"}
    assert run("rm >x -rf /") == ["rm|-rf|/"]
    assert run("cd x && rm >x -rf / && ls") == ["cd|x", "rm|-rf|/", "ls"]
    assert run(">x rm -rf / | cat >y -") == ["rm|-rf|/", "cat|-"]


def test_what_follows_a_heredoc_on_its_line_is_read() -> None:
    """`cat <<E && rm x` runs rm."""
    assert run("cat <<E && rm x\nbody\nE\nls") == ["cat", "rm|x", "ls"]


def test_a_budget_is_spent_by_work() -> None:
    """Every command and every stretch of text costs."""
    with pytest.raises(BudgetExceeded):
        read("ls;" * 50, budget=Budget(20))


@given(st.text(alphabet="abc \\'\"$`{}()<>|&;\n=*~é", max_size=60))
def test_every_text_has_a_tree_with_spans_inside(text: str) -> None:
    """Whatever is sent, spans lie in it."""
    for command in read(text).commands:
        assert 0 <= command.span[0] <= command.span[1] <= len(text)


@pytest.mark.parametrize("crafted", ["<b>", "&gt;"])
def test_a_text_that_the_parser_reads_again_and_again_is_not_judged(crafted: str) -> None:
    with pytest.raises(BudgetExceeded):
        read(crafted * 20_000)


def test_a_command_with_thousands_of_redirections_is_read_in_little_time() -> None:
    """Had it taken the square of the time, this would not end."""
    assert read("uptime > /tmp/x " * 12_000).commands


@pytest.mark.parametrize(
    "text",
    [
        "ssh web bash <<'E'\nrm -rf /srv\nE",
        "echo 'rm -rf /srv' | ssh web sudo sh",
        "bash -c sh <<< 'rm -rf /srv'",
        "su - app -c bash <<< 'rm -rf /srv'",
    ],
)
def test_a_shell_that_another_program_starts_reads_what_that_program_reads(text: str) -> None:
    """Standard input goes through to whatever is run."""
    assert ["rm", "-rf", "/srv"] in [[w.text for w in c.argv] for c in read(text).commands]
