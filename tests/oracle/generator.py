"""Scripts of bash made up at random by a grammar, as deep as hypothesis cares to go: constructs in constructs."""

from __future__ import annotations

from hypothesis import strategies as st

_NAMES = st.sampled_from(["rm", "ls", "mv", "kill", "curl", "git"])
_VARIABLES = st.sampled_from(["x", "y", "z"])
_TEXTS = st.sampled_from(["a", "b c", "-rf", "/srv/data", "x.y", "", "rm", "*", "a;b", "#n", "it's", "$", "é", "{a,b}"])


def _quoted(text: str) -> st.SearchStrategy[str]:
    single = "'" + text.replace("'", "'\\''") + "'"
    double = '"' + "".join(f"\\{c}" if c in '"\\$`' else c for c in text) + '"'
    ansi = "$'" + "".join(f"\\x{ord(c):02x}" if c.isascii() else c for c in text) + "'"
    bare = "".join(c if c.isalnum() or c in "/-._" else f"\\{c}" for c in text)
    return st.sampled_from([single, double, ansi, bare or "''"])


def _word(statement: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    constant = _TEXTS.flatmap(_quoted)
    echoed = _TEXTS.flatmap(_quoted).map(lambda word: f"echo {word}")
    return st.one_of(
        constant,
        st.tuples(constant, constant).map("".join),
        _VARIABLES.map(lambda name: f'"${name}"'),
        _VARIABLES.map(lambda name: f"${{{name}}}"),
        st.tuples(_VARIABLES, st.sampled_from([":-d", "-d", "%a", "#b", "^^", ":0:1", "/a/e", "+k"])).map(
            lambda pair: f'"${{{pair[0]}{pair[1]}}}"'
        ),
        echoed.map(lambda code: f"$({code})"),
        echoed.map(lambda code: f'"$({code})"'),
        echoed.filter(lambda code: "\\" not in code and "`" not in code).map(lambda code: f"`{code}`"),
        st.sampled_from(["$((1+2))", "{p,q}", "r{s,t}u", "{1..3}", '"$@"', "$#", "~/k", '"a $ b"', "m#n"]),
        statement.map(lambda code: f"$(\n{code}\n)"),
    )


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    word = _word(inner)
    words = st.lists(word, max_size=3).map(" ".join)
    plain = st.tuples(_NAMES, words).map(" ".join)
    two = st.tuples(inner, inner)
    return st.one_of(
        plain,
        st.tuples(_VARIABLES, word).map("=".join),
        st.tuples(two, st.sampled_from([" && ", " || ", "; ", "\n", " | "])).map(lambda p: p[1].join(p[0])),
        inner.map(lambda code: f"( {code} )"),
        inner.map(lambda code: f"{{ {code}\n}}"),
        two.map(lambda p: f"if {p[0]}; then {p[1]}\nfi"),
        two.map(lambda p: f"if git; then {p[0]}\nelse {p[1]}\nfi"),
        st.tuples(_VARIABLES, words, inner).map(lambda p: f"for {p[0]} in {p[1]}; do {p[2]}\ndone"),
        st.tuples(word, inner).map(lambda p: f"case {p[0]} in a) {p[1]};; *) ls k;; esac"),
        st.tuples(word, inner).map(lambda p: f"f() {{ {p[1]}\n}}; f {p[0]}"),
        inner.flatmap(_quoted).map(lambda code: f"eval {code}"),
        inner.flatmap(_quoted).map(lambda code: f"bash -c {code}"),
        inner.map(lambda code: f"sh <<'E_O_F'\n{code}\nE_O_F"),
        st.tuples(_NAMES, inner).map(lambda p: f"{p[0]} <<E_O_F\nbody $x $({p[1]}\n)\nE_O_F"),
        st.tuples(
            st.sampled_from(["sudo -u u", "env A=b", "nohup", "timeout 5", "nice -n 3", "command", "xargs"]), plain
        ).map(" ".join),
        plain.map(lambda code: f"{code} >out 2>&1"),
        plain.map(lambda code: f"echo a b | xargs -n 1 {code}"),
        st.tuples(_VARIABLES, inner).map(lambda p: f"echo a b | while read -r {p[0]}; do {p[1]}\ndone"),
    )


def scripts() -> st.SearchStrategy[str]:
    """Scripts that end, and whose programs are stubs."""
    leaf = st.tuples(_NAMES, st.lists(_TEXTS.flatmap(_quoted), max_size=2).map(" ".join)).map(" ".join)
    return st.recursive(leaf, _compound, max_leaves=6)
