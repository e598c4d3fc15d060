"""Keys outside of the environment: `.env` files, read anew each time, and the keyring."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from contextlib import contextmanager

import keyring
import keyring.backends.fail
import pytest

from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.services.key_stores import SERVICE, DotEnv, Keyring, dotenv_files
from dipeo_jupyter.services.keys import Keys
from tests.keyring_backend import MemoryKeyring

KEY = "sk-canary-0123456789abcdef"
OTHERS = "# mine\n\nexport A_B='x y' # why\nEMPTY=\n\n  C=${A_B}\nlast=1"


@pytest.fixture
def file(tmp_path):
    return DotEnv(tmp_path / ".env")


@pytest.fixture
def backend():
    before, backend = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


# -- .env -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        f"OPENAI_API_KEY={KEY}",
        f"export OPENAI_API_KEY = '{KEY}'  # mine",
        f'OPENAI_API_KEY="{KEY}"',
        f"\ufeffOPENAI_API_KEY={KEY}\r",
        f"this is no line\nOPENAI_API_KEY={KEY}",
    ],
)
def test_a_dotenv_file_is_read_as_people_write_it(file, line):
    file.path.write_text(f"{line}\n", newline="")
    assert Keys({}, file).get("openai") == KEY


def test_nothing_of_a_dotenv_file_gets_into_the_environment(file):
    file.path.write_text(f"OPENAI_API_KEY={KEY}\nOPENAI_BASE_URL=http://evil.example\n")
    before = dict(os.environ)
    Keys({}, file).get("openai")
    assert dict(os.environ) == before


def test_a_dotenv_file_sees_nothing_of_the_environment(file, monkeypatch):
    monkeypatch.setenv("A_SECRET", KEY)
    file.path.write_text("OPENAI_API_KEY=${A_SECRET}\n")
    assert Keys({}, file).get("openai") == "${A_SECRET}"


def test_a_key_exchanged_in_a_dotenv_file_counts_at_once(file):
    keys = Keys({}, file)
    for key in ("sk-0000-1111", "sk-0000-2222", "sk-0000-3333"):
        file.path.write_text(f"OPENAI_API_KEY={key}\n")
        assert keys.get("openai") == key
    file.path.unlink()
    with pytest.raises(ServiceError, match="No key for openai"):
        keys.get("openai")


def test_every_secret_of_a_dotenv_file_is_redacted(file):
    file.path.write_text(f"DB_PASSWORD={KEY}\n")
    assert Keys({}, file).redact(f"db://{KEY}@") == "db://[key removed]@"


@contextmanager
def anybody():
    """Root, who reads everything, is somebody else for as long."""
    if is_root := os.geteuid() == 0:
        os.seteuid(12345)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes")
def test_a_file_that_may_not_be_read_is_said_to_be_so(file):
    file.path.write_text(f"OPENAI_API_KEY={KEY}\n")
    file.path.chmod(0)
    said = pytest.raises(ServiceError, match=r"\.env cannot be read: Permission denied")
    with anybody(), said:
        Keys({}, file).get("openai")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=lambda make: make.__name__)
def test_what_is_no_file_is_not_opened(file, make):
    make(file.path)
    with pytest.raises(ServiceError, match=r"\.env cannot be read: it is no file of text"):
        Keys({}, file).get("openai")


def test_a_huge_file_is_not_read(file):
    with file.path.open("wb") as huge:
        huge.truncate(1 << 30)
    assert "no file of text" in file.trouble()
    assert dict(file) == {}


def test_the_folders_own_file_comes_before_that_of_the_project(tmp_path):
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "notebooks" / "deep"
    folder.mkdir(parents=True)
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-project\nGROQ_API_KEY=sk-project\n")
    (folder / ".env").write_text("OPENAI_API_KEY=sk-folder\n")
    keys = Keys({}, *dotenv_files(folder))
    assert (keys.get("openai"), keys.get("groq")) == ("sk-folder", "sk-project")


def test_without_a_project_no_folder_above_is_looked_into(tmp_path):
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={KEY}\n")
    (tmp_path / "folder").mkdir()
    files = dotenv_files(tmp_path / "folder")
    assert [each.path for each in files] == [tmp_path / "folder" / ".env"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_the_project_of_somebody_else_is_not_looked_into(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "mine").mkdir()
    os.chown(tmp_path, 12345, -1)
    assert len(dotenv_files(tmp_path / "mine")) == 1


def test_a_key_put_into_a_new_file_is_for_its_owner_alone(file):
    file.put("OPENAI_API_KEY", KEY)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert file.path.read_text() == f"OPENAI_API_KEY='{KEY}'\n"
    assert not file.is_open_to_others()


def test_putting_a_key_keeps_all_other_lines(file):
    file.path.write_text(OTHERS)
    file.path.chmod(0o644)
    assert file.is_open_to_others()
    file.put("OPENAI_API_KEY", KEY)
    assert file.path.read_text() == f"{OTHERS}\nOPENAI_API_KEY='{KEY}'\n"
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_putting_a_key_replaces_the_old_one_where_it_stands(file):
    text = "# mine\nA=1\n\nexport OPENAI_API_KEY=old\nB=2\nOPENAI_API_KEY=older\nC=3\n"
    file.path.write_text(text)
    file.put("OPENAI_API_KEY", KEY)
    assert file.path.read_text() == f"# mine\nA=1\n\nexport OPENAI_API_KEY='{KEY}'\nB=2\nC=3\n"


@pytest.mark.parametrize("key", ["a'b'c-12345", r"back\slash-\'1", "$HOME-${A}-`x`#y"])
def test_odd_characters_of_a_key_come_back_as_they_were(file, key):
    file.put("OPENAI_API_KEY", key)
    file.put("GROQ_API_KEY", key)
    assert (file["OPENAI_API_KEY"], file["GROQ_API_KEY"]) == (key, key)


def test_a_link_to_a_file_stays_a_link(file, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "keys"
    target.write_text("A=1\n")
    file.path.symlink_to(target)
    file.put("OPENAI_API_KEY", KEY)
    assert file.path.is_symlink()
    assert target.read_text() == f"A=1\nOPENAI_API_KEY='{KEY}'\n"


def test_a_file_that_cannot_be_written_is_as_before(tmp_path):
    (tmp_path / "file").touch()
    file = DotEnv(tmp_path / "file" / ".env")
    with pytest.raises(ServiceError, match="cannot be written") as caught:
        file.put("OPENAI_API_KEY", KEY)
    assert KEY not in str(caught.value)


def test_a_file_that_is_no_text_is_left_as_it_is(file):
    file.path.write_bytes(b"A=\xff\n")
    with pytest.raises(ServiceError, match="no UTF-8 text"):
        file.put("OPENAI_API_KEY", KEY)
    assert file.path.read_bytes() == b"A=\xff\n"
    assert [each.name for each in file.path.parent.iterdir()] == [".env"]


# -- the keyring ----------------------------------------------------------------------------------


def test_the_keyring_is_asked_last(backend, file):
    backend.set_password(SERVICE, "OPENAI_API_KEY", "sk-in-the-ring")
    environ = {}
    keys = Keys(environ, file, keyring=Keyring())
    assert keys.get("openai") == "sk-in-the-ring"
    file.path.write_text("OPENAI_API_KEY=sk-in-the-file\n")
    assert keys.get("openai") == "sk-in-the-file"
    environ["OPENAI_API_KEY"] = "sk-exported"
    assert keys.get("openai") == "sk-exported"


def test_a_key_of_the_keyring_is_redacted_once_it_was_used(backend):
    backend.set_password(SERVICE, "OPENAI_API_KEY", KEY)
    keys = Keys({}, keyring=Keyring())
    keys.get("openai")
    assert keys.redact(KEY) == "[key removed]"


def test_an_exchanged_key_of_the_keyring_counts_at_once(backend):
    keys = Keys({}, keyring=Keyring())
    for key in ("sk-0000-1111", "sk-0000-2222"):
        Keyring().put("LAB_OPENAI_KEY", key)
        assert keys.get("openai", "lab_openai_key") == key


def test_the_keyring_knows_the_names_that_were_put_there(backend):
    Keyring().put("LAB_OPENAI_KEY", KEY)
    Keyring().put("A_GROQ_KEY", KEY)
    assert Keyring().names(["XAI_API_KEY"]) == ["XAI_API_KEY", "A_GROQ_KEY", "LAB_OPENAI_KEY"]


@pytest.mark.parametrize("nonsense", ["{", '"text"', "[1, null]", "null"])
def test_a_broken_list_of_names_is_no_list(backend, nonsense):
    backend.set_password(SERVICE, "(names)", nonsense)
    assert Keyring().names() == []


def test_a_locked_keyring_is_said_to_be_so(backend):
    backend.locked = True
    keys = Keys({}, keyring=Keyring())
    with pytest.raises(ServiceError, match=r"does not answer: KeyringLocked\.") as caught:
        keys.get("openai")
    assert "quoted" not in str(caught.value)


def test_a_keyring_that_refuses_quotes_nothing(backend):
    backend.locked = True
    with pytest.raises(ServiceError, match="cannot be used: KeyringLocked") as caught:
        Keyring().put("OPENAI_API_KEY", KEY)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_where_there_is_no_keyring_nothing_is_found_and_nothing_kept(backend):
    keyring.set_keyring(keyring.backends.fail.Keyring())
    with pytest.raises(ServiceError, match="No key for openai") as missing:
        Keys({}, keyring=Keyring()).get("openai")
    assert "does not answer" not in str(missing.value)
    with pytest.raises(ServiceError, match="there is none here, as on most servers"):
        Keyring().put("OPENAI_API_KEY", KEY)


def test_a_keyring_that_forgets_is_not_trusted(backend):
    keyring.set_keyring(keyring.backends.null.Keyring())
    with pytest.raises(ServiceError, match="does not keep what it is given"):
        Keyring().put("OPENAI_API_KEY", KEY)


def test_without_the_package_the_way_to_it_is_said():
    code = (
        "import sys; sys.modules['keyring'] = None\n"
        "from dipeo_jupyter.services.key_stores import Keyring\n"
        "from dipeo_jupyter.services.keys import Keys\n"
        "print(Keyring().get('A', '-'), Keyring().names(['A']), Keyring().trouble())\n"
        "try: Keyring().put('A', 'x')\n"
        "except Exception as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    first, second = done.stdout.splitlines()
    assert first == "- [] None"
    assert "pip install 'dipeo_jupyter[keyring]'" in second


def test_nothing_is_imported_for_keys_that_are_exported():
    code = (
        "import sys\nfrom dipeo_jupyter.services.keys import Keys\n"
        "from dipeo_jupyter.services.key_stores import Keyring\n"
        "Keys({'OPENAI_API_KEY': 'sk-12345678'}, keyring=Keyring()).get('openai')\n"
        "print({'keyring', 'dotenv', 'aiohttp', 'litellm'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "set()\n"
