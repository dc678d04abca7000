"""What stands in the throwaway root: bash, a few real programs, and a recording stub for every other name."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

HOME = "/home/user"
ENVIRONMENT = {"HOME": HOME, "PWD": HOME, "PATH": "/bin:/run/names", "BASH_ENV": "/real/start", "LC_ALL": "C.UTF-8"}
# Programs that only run others, and those that only turn text into text: what they do, nobody need guess.
RUNNERS = ("bash", "sh", "dash", "env", "xargs", "find", "timeout", "nohup", "nice", "setsid", "stdbuf")
FILTERS = [
    "base64",
    "base32",
    "xxd",
    "od",
    "rev",
    "tac",
    "tr",
    "cut",
    "sed",
    "awk",
    "cat",
    "head",
    "tail",
    "sort",
    "uniq",
    "tee",
    "seq",
    "echo",
    "printf",
    "basename",
    "dirname",
    "grep",
    "wc",
    "paste",
    "fold",
    "nl",
    "expr",
    "true",
    "false",
    "gzip",
]
# name: kind, short options with a value, long options with a value as the next word, operands before the command.
TAILS = {
    "sudo": ("tail", "CDghpRrtTUu", "user,group,host,prompt,close-from,role,type,chroot,chdir", 0),
    "doas": ("tail", "uC", "-", 0),
    "pkexec": ("tail", "-", "user", 0),
    "ionice": ("tail", "cnpPu", "class,classdata", 0),
    "chrt": ("tail", "TPD", "-", 1),
    "taskset": ("tail", "-", "-", 1),
    "time": ("tail", "fo", "format,output", 0),
    "chroot": ("tail", "-", "-", 1),
    "unshare": ("tail", "SGRw", "-", 0),
    "strace": ("tail", "abeEoOpPsSuUX", "trace,output,attach", 0),
    "fakeroot": ("tail", "lisb", "-", 0),
    "torsocks": ("tail", "uapPi", "-", 0),
    "systemd-run": ("tail", "HMpEut", "unit,property,description,slice,uid,gid,nice,on-calendar,on-active,setenv", 0),
    "ssh": ("shell", "BbcDEeFIiJLlmOopQRSWw", "-", 1),
    "watch": ("shell", "nq", "interval,equexit", 0),
    "su": ("code", "-", "-", 0),
    "runuser": ("code", "-", "-", 0),
    "script": ("code", "-", "-", 0),
    "sg": ("code", "-", "-", 0),
}
COMMON = (
    "rm rmdir mv cp ln ls dd mkfs mkfs.ext4 shred truncate chmod chown chgrp touch mkdir id whoami date uname "
    "hostname ps kill pkill killall reboot shutdown poweroff halt init systemctl service curl wget nc ncat python "
    "python3 perl ruby node php git docker kubectl apt apt-get yum dnf pip npm tar zip unzip gunzip bzip2 xz file "
    "stat df du mount umount useradd userdel usermod passwd crontab at openssl gpg scp sftp rsync ip iptables "
    "ifconfig netstat ss ping dig nslookup more less vi vim nano ed diff cmp sleep yes tput clear which whereis "
    "locate readlink realpath mktemp parallel psql mysql redis-cli mongo helm terraform aws gcloud az jq yq make "
    "gcc cc g++ java go cargo lsof fuser top free uptime who w last dmesg modprobe insmod rmmod sysctl fdisk parted "
    "lvremove vgremove wipefs blkdiscard zsh ksh fish csh tcsh busybox socat telnet xdg-open "
)
_UNKNOWN_NAME = """command_not_found_handle() {
    printf '%s\\0' "$(($# - 1))" "$@" >>"/run/calls/$BASHPID"
    local fails
    read -r fails </run/fails
    [ "$fails" = 1 ] && return 1
    echo "out-$1 two"
}
"""
_NAME = re.compile(r"[A-Za-z0-9_+][\w.+-]{0,63}", re.ASCII)
_LIBRARY = re.compile(r"(/\S+) \(0x")
_FOLDERS = ("bin", "dev", "etc", "home/user", "lib64", "proc", "real", "run", "tmp", "usr/local", "var/tmp")
_LOCALE = Path("/usr/lib/locale/C.utf8")
DEVICES = ("null", "zero", "urandom")


def names(text: str) -> set[str]:
    """Every word of a text that might be a program's name."""
    return {found for found in _NAME.findall(text) if not found.isdigit()}


def build(root: Path) -> None:
    """Fills an empty folder: programs with their libraries, stubs, and the folders that a shell expects."""
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True)
    for link in ("sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin"):
        (root / link).symlink_to("/bin")
    for device in DEVICES:
        (root / "dev" / device).touch()
    for link, target in {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}.items():
        (root / "dev" / link).symlink_to(f"/proc/self/fd{target}")
    (root / "etc/passwd").write_text(f"root:x:0:0::/root:/bin/bash\nnobody:x:65534:65534::{HOME}:/bin/bash\n", "ascii")
    real = [name for name in (*RUNNERS, *FILTERS) if _place(name, root)]
    stub = shutil.copy(Path(__file__).with_name("stubs.sh"), root / "real/stub")
    Path(stub).chmod(0o755)
    kinds = [f"real {name} - - 0" for name in real]
    kinds += [f"{kind} {name} {short} {long} {operands}" for name, (kind, short, long, operands) in TAILS.items()]
    (root / "real/kinds").write_text("\n".join(kinds) + "\n", "ascii")
    (root / "real/start").write_text(_UNKNOWN_NAME, "ascii")
    for name in {*real, *TAILS, *COMMON.split()}:
        (root / "bin" / name).symlink_to("/real/stub")
    if _LOCALE.exists():
        shutil.copytree(_LOCALE, root / _LOCALE.relative_to("/"))
    (root / "real").chmod(0o711)  # nobody finds these with `find /`


def _place(name: str, root: Path) -> bool:
    found = shutil.which("bash" if name == "sh" else name, path="/usr/bin:/bin:/usr/sbin:/sbin")
    if found is None:
        return False
    shutil.copy(Path(found).resolve(), root / "real" / name)
    listed = subprocess.run(["ldd", found], capture_output=True, text=True, check=False).stdout
    for library in _LIBRARY.findall(listed):
        copy = root / library.lstrip("/")
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(library).resolve(), copy)
    return True


def add_stubs(wanted: set[str], folder: Path) -> None:
    """Stubs for the words of one text, where the root has none of that name."""
    for name in wanted:
        if not os.path.lexists(f"/bin/{name}"):
            (folder / name).symlink_to("/real/stub")
