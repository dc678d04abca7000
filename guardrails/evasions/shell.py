"""Spelling a command so that a Unix shell alone reads it: quotes, expansions, continuations. It still runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.evasions.interface import BASH, Evasion, Undone, first_word, outside_quotes

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_PLAIN = re.compile(r"[\w./ :=,@%+~-]+")
"""What means the same inside double quotes, in an assignment or as words of a brace expansion."""
_ASSIGNMENT = re.compile(r"\w+=")
_KEYWORDS = frozenset({"for", "while", "if", "case", "until", "function", "select", "time", "export", "declare"})


def _simple(text: str) -> bool:
    words = text.split()
    return bool(words) and _PLAIN.fullmatch(text) is not None and not _reserved(words[0])


def _reserved(word: str) -> bool:
    return word in _KEYWORDS or _ASSIGNMENT.match(word) is not None


def _name(text: str) -> tuple[int, int] | None:
    found = first_word(text)
    return None if found is None or _reserved(text[: found[1]]) else found


def _inside(*noise: str) -> Callable[[str, Random], str | None]:
    """Put one of `noise` behind some letters of the words, the first among them."""

    def apply(text: str, random: Random) -> str | None:
        places = outside_quotes(text)
        name = _name(text)
        if name is None or "<<" in text or len(places) < 2:
            return None
        chosen = {random.choice([at for at in places if at < name[1] - 1] or places[:1])}
        chosen |= {at for at in places if random.random() < 0.25 and text[at + 1 : at + 2].isalpha()}
        return "".join(sign + random.choice(noise) * (at in chosen) for at, sign in enumerate(text))

    return apply


def _quoted_letters(text: str, random: Random) -> str | None:
    name = _name(text)
    if name is None:
        return None
    quote = random.choice("'\"")
    return "".join(f"{quote}{sign}{quote}" if sign.isalpha() else sign for sign in text[: name[1]]) + text[name[1] :]


def _escaped(text: str, random: Random) -> str | None:
    name = _name(text)
    if name is None:
        return None
    read = "".join(f"\\{sign}" if sign.isalpha() and random.random() < 0.6 else sign for sign in text[: name[1]])
    return None if read == text[: name[1]] else read + text[name[1] :]


def _ansi(text: str, random: Random) -> str | None:
    name = _name(text)
    if name is None:
        return None
    form = random.choice(["\\x{:02x}", "\\{:03o}", "\\u{:04x}"])
    return "$'" + "".join(form.format(ord(sign)) for sign in text[: name[1]]) + "'" + text[name[1] :]


def _ansi_words(text: str, _: Random) -> str | None:
    if not _simple(text):
        return None
    return " ".join("$'" + "".join(f"\\x{ord(sign):x}" for sign in word) + "'" for word in text.split())


def _field_separator(text: str, random: Random) -> str | None:
    if not _simple(text) or " " not in text or "=" in text:
        return None
    blank = random.choice(["${IFS}", "$IFS$9", "${IFS%??}"])
    return blank.join(text.split())


def _braces(text: str, _: Random) -> str | None:
    words = text.split()
    return "{" + ",".join(words) + "}" if _simple(text) and len(words) > 1 and "," not in text else None


def _tabs(text: str, _: Random) -> str | None:
    return text.replace(" ", "\t") if _simple(text) and " " in text else None


def _globbed(text: str, random: Random) -> str | None:
    name = _name(text)
    if name is None or "/" in text[: name[1]]:
        return None
    word = text[: name[1]]
    if len(word) < 2:
        return None
    at = random.randrange(len(word))
    glob = random.choice(["?", f"[{word[at]}]"])
    return f"/bin/{word[:at]}{glob}{word[at + 1 :]}{text[name[1] :]}"


def _continued(text: str, random: Random) -> str | None:
    name = _name(text)
    if name is None:
        return None
    places = [at for at in outside_quotes(text) if at and text[at - 1].isalpha()]
    at = random.choice(places) if places else name[1]
    return f"{text[:at]}\\\n{text[at:]}"


def _continued_words(text: str, _: Random) -> str | None:
    return text.replace(" ", " \\\n  ") if _simple(text) and " " in text else None


def _commented(text: str, random: Random) -> str | None:
    if "<<" in text or text.endswith("\\"):
        return None
    return text + random.choice([" # harmless", " #'", ' # "safe', " # never run this"])


def _comment_before(text: str, random: Random) -> str | None:
    return random.choice(["# list the files", "# don't worry", '# "']) + f"\n{text}"


def _assembled(text: str, random: Random) -> str | None:
    name = _name(text)
    if name is None or name[1] < 2:
        return None
    cut = random.randrange(1, name[1])
    return f"a={text[:cut]}; b={text[cut : name[1]]}; $a$b{text[name[1] :]}"


def _held(text: str, random: Random) -> str | None:
    if not _simple(text):
        return None
    name = random.choice(["x", "CMD", "_"[:0] + "todo"])
    return f'{name}="{text}"; ${name}'


def _expanded(text: str, random: Random) -> str | None:
    name = _name(text)
    if name is None or not text[: name[1]].isalnum():
        return None
    word, rest = text[: name[1]], text[name[1] :]
    return random.choice(
        [
            f"x=zz{word}; ${{x#zz}}{rest}",
            f"x={word}zz; ${{x%zz}}{rest}",
            f"x=a{word}; ${{x:1}}{rest}",
            f"x={word[0]}@@{word[1:]}; ${{x/@@/}}{rest}",
            f"x={word.upper()}; ${{x,,}}{rest}" if word.islower() else f"${{x:-{word}}}{rest}",
            f"${{none:-{word}}}{rest}",
            f"x=({word}); ${{x[0]}}{rest}",
        ]
    )


def _indirect(text: str, _: Random) -> str | None:
    name = _name(text)
    return None if name is None else f"x={text[: name[1]]}; y=x; ${{!y}}{text[name[1] :]}"


def _printed(text: str, random: Random) -> str | None:
    name = _name(text)
    if name is None:
        return None
    word, rest = text[: name[1]], text[name[1] :]
    octal = "".join(f"\\{ord(sign):03o}" for sign in word)
    return random.choice(
        [
            f"$(printf '{octal}'){rest}",
            f"$(echo {word}){rest}",
            f"`echo {word}`{rest}",
            f"$(echo {word[::-1]} | rev){rest}",
        ]
    )


def _upper_path(text: str, random: Random) -> str | None:
    name = _name(text)
    if name is None or "/" in text[: name[1]]:
        return None
    return random.choice(["/bin/", "/usr/bin/", "/usr/../bin/", "//bin/./"]) + text


_TABLE = (
    ("empty quotes", "'' or \"\" inside words", _inside("''", '""')),
    ("empty expansions", "$@, $* or `` inside words", _inside("$@", "``", "$*", "${@}")),
    ("quoted letters", "each letter of the name in quotes", _quoted_letters),
    ("backslashes", "backslashes before letters of the name", _escaped),
    ("ANSI-C quoting", "$'\\x72…' for the name", _ansi),
    ("ANSI-C quoting, all words", "$'\\x72…' for every word", _ansi_words),
    ("field separator", "${IFS} for blanks", _field_separator),
    ("brace expansion", "{rm,-rf,…} for words", _braces),
    ("tabs", "tabs for blanks", _tabs),
    ("glob in command position", "/bin/r? for the name", _globbed),
    ("line continuation", "a backslash and a line end inside a word", _continued),
    ("line continuation between words", "a backslash and a line end between words", _continued_words),
    ("comment", "a comment behind it, with a quote in it", _commented),
    ("comment before", "a comment before it, with a quote in it", _comment_before),
    ("assembled name", "the name from two variables", _assembled),
    ("held in a variable", "the whole command in a variable", _held),
    ("parameter expansion", "the name out of an expansion with an operator", _expanded),
    ("indirect expansion", "the name through a variable's name", _indirect),
    ("printed name", "the name as another command's output", _printed),
    ("path", "the name with a path, winding", _upper_path),
)
SHELL = tuple(Evasion(name, about, Undone.SHELL, BASH, apply) for name, about, apply in _TABLE)
