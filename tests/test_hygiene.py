"""What must not be in the repository: hosts of registries, paths of a machine, secrets, people, others' samples."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Put together here, so that this file does not hold what it looks for.
REGISTRY_HOSTS = (
    "pypi" + ".org",
    "python" + "hosted",
    "npm" + "js.",
    "yarn" + "pkg",
    "artifact" + "ory",
    "/pypi/" + "simple",
)
MACHINE_PATH = re.compile(r"(?<![\w./-])/(?:work|root|opt|home|Users|workspace)/\w")
SECRETS = {
    "a private key": re.compile("-----BEGIN [A-Z ]*PRIVATE " + "KEY-----"),
    "a Shopify token": re.compile(r"\bshp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}\b"),
    "a WooCommerce key": re.compile(r"\bc[ks]_[0-9a-f]{40}\b"),
    "an access key": re.compile(r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abp]-[0-9A-Za-z-]{20,})\b"),
}
EMAIL = re.compile(r"(?<![\w.%+-])[a-zA-Z0-9][\w.+-]*@((?:[a-zA-Z0-9-]+\.)+[a-zA-Z]{2,})\b")
INVENTED = re.compile(r"(?:^|\.)(?:example|test|invalid|localhost|example\.(?:com|org|net))$", re.IGNORECASE)
BINARY = {".png", ".ico", ".gz", ".woff2", ".jpg"}


def _files():
    """Every file that is tracked or would be by ``git add``; all files where this is no git checkout."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    else:
        ignored = {".venv", "var", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
        paths = [path for path in ROOT.rglob("*") if not ignored & set(path.relative_to(ROOT).parts)]
    return sorted(path for path in paths if path.is_file())


FILES = _files()
TEXTS = {path: path.read_text(encoding="utf-8") for path in FILES if path.suffix not in BINARY}


def found(pattern):
    """Give "file: match" for everything the pattern finds."""
    return [
        f"{path.relative_to(ROOT)}: {match.group()}" for path, text in TEXTS.items() for match in pattern.finditer(text)
    ]


def test_there_is_something_to_look_at():
    names = {str(path.relative_to(ROOT)) for path in FILES}
    assert {"pyproject.toml", "relay/errors.py", "requirements/runtime.txt"} <= names


def test_no_file_names_a_package_registry():
    assert found(re.compile("|".join(map(re.escape, REGISTRY_HOSTS)), re.IGNORECASE)) == []


def test_no_file_names_a_path_of_a_machine():
    assert found(MACHINE_PATH) == []


@pytest.mark.parametrize("kind", SECRETS)
def test_no_file_holds_a_secret(kind):
    assert found(SECRETS[kind]) == []


def test_every_person_is_invented():
    """E-mail addresses end in a domain that is reserved for examples."""
    addresses = {
        (str(path.relative_to(ROOT)), match.group())
        for path, text in TEXTS.items()
        for match in EMAIL.finditer(text)
        if not INVENTED.search(match[1])
    }
    assert addresses == set()


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt"])
def test_lock_files_pin_with_hashes_and_name_no_place(name):
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    pins = re.findall(r"^[A-Za-z0-9][\w.\[\],-]*==\S+", text, re.MULTILINE)
    requirements = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(pins) == len(requirements) > 20
    assert all("--hash=sha256:" in requirement for requirement in requirements)
    assert "://" not in text
    assert not re.search(r"^\s*(?:-i|-f|--index|--extra-index|--find-links|--trusted-host)", text, re.MULTILINE)


def test_lock_files_cover_what_is_asked_for():
    for name in ("runtime", "dev"):
        asked = re.findall(r"^([A-Za-z0-9][\w.-]*)", (ROOT / "requirements" / f"{name}.in").read_text(), re.MULTILINE)
        locked = (ROOT / "requirements" / f"{name}.txt").read_text().lower().replace("_", "-")
        missing = [one for one in asked if not re.search(rf"^{re.escape(one.lower())}==", locked, re.MULTILINE)]
        assert missing == []


def test_no_lock_file_of_another_kind_is_kept():
    """They name a place for every package."""
    names = {path.name for path in FILES}
    assert names.isdisjoint({"uv.lock", "pylock.toml", "poetry.lock", "package-lock.json", "yarn.lock"})


def test_nothing_that_was_made_is_kept():
    suffixes = {".pyc", ".sqlite3", ".db", ".log", ".sqlite3-wal"}
    kept = [path for path in FILES if path.suffix in suffixes or path.name in {".env", "relay.toml", "demo.json"}]
    assert kept == []


def test_no_file_is_a_copy_of_a_shared_sample():
    folder = os.environ.get("RELAY_SHARED_SAMPLES")
    if not folder:
        pytest.skip("RELAY_SHARED_SAMPLES names no folder")
    # A text such as "{}" may stand in both without being a copy.
    samples = {_digest(path) for path in Path(folder).rglob("*") if path.is_file() and path.stat().st_size > 100}
    assert [str(path.relative_to(ROOT)) for path in FILES if _digest(path) in samples] == []


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
