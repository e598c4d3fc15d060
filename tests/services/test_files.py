"""Files below one root: whole or not at all, and never outside it."""

from __future__ import annotations

import asyncio
import os
import resource
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.services.files import MAX_READ, LocalFiles
from dipeo_jupyter.services.folders import HAS_DIR_FD

FOREIGN = "not yours"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root, beside a file and a folder that nobody may reach from it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data-secret").mkdir()
    (tmp_path / "data-secret" / "key.txt").write_text(FOREIGN)
    return tmp_path / "data"


@pytest.fixture(
    params=[pytest.param(True, marks=pytest.mark.skipif(not HAS_DIR_FD, reason="")), False]
)
def files(root: Path, request: pytest.FixtureRequest) -> LocalFiles:
    return LocalFiles(root, by_descriptor=request.param)


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: what a full disk looks like to a program."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def refusal(files: LocalFiles, path: str) -> str:
    with pytest.raises(ServiceError) as caught:
        asyncio.run(files.read(path))
    return str(caught.value)


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def leftovers(root: Path) -> list[str]:
    return sorted(each.name for each in root.iterdir() if each.name.startswith("."))


def test_what_was_written_is_what_is_read(files: LocalFiles) -> None:
    text = "first\r\nsecond\n\n  ünï ✓ \N{PILE OF POO}"
    assert asyncio.run(files.write("a.txt", text)) == "a.txt"
    assert asyncio.run(files.read("a.txt")) == text


def test_folders_on_the_way_are_made(files: LocalFiles, root: Path) -> None:
    assert asyncio.run(files.write("out/deep/./er/a.txt", "x")) == "out/deep/er/a.txt"
    assert (root / "out/deep/er/a.txt").read_text() == "x"


def test_appended_text_stands_at_the_end(files: LocalFiles) -> None:
    for word in ("one", "two", "three"):
        assert asyncio.run(files.append("log/a.txt", f"{word}\n")) == "log/a.txt"
    assert asyncio.run(files.read("log/a.txt")) == "one\ntwo\nthree\n"


def test_only_regular_files_exist_for_us(files: LocalFiles, root: Path) -> None:
    (root / "folder").mkdir()
    (root / "file").write_text("")
    (root / "link").symlink_to("file")
    paths = ["file", "folder", "link", "nowhere", "file/below", "nowhere/below"]
    assert [asyncio.run(files.exists(path)) for path in paths] == [True, *[False] * 5]


def test_an_absolute_path_inside_the_root_counts(files: LocalFiles, root: Path) -> None:
    assert asyncio.run(files.write(str(root / "a.txt"), "x")) == "a.txt"


def test_a_root_given_through_a_link_works(root: Path) -> None:
    (root.parent / "alias").symlink_to(root)
    files = LocalFiles(root.parent / "alias")
    assert asyncio.run(files.write(str(root.parent / "alias" / "a.txt"), "x")) == "a.txt"


OUTSIDE = [
    "../data-secret/key.txt",
    "..",
    "a/../../data-secret/key.txt",
    "./../data-secret/key.txt",
    "nowhere/../../data-secret/key.txt",
    "/etc/passwd",
    "//etc/passwd",
    "/",
    "/proc/self/environ",
    "/dev/zero",
    "a\0.txt",
    "../data",
    "../data-secret",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_out_of_the_root_is_refused(files: LocalFiles, path: str) -> None:
    for attempt in (files.read(path), files.write(path, "x"), files.append(path, "x")):
        with pytest.raises(ServiceError):
            asyncio.run(attempt)


def test_a_neighbour_with_the_same_beginning_is_outside(files: LocalFiles, root: Path) -> None:
    assert "leads out of" in refusal(files, f"{root}-secret/key.txt")


def test_a_refusal_does_not_tell_whether_it_exists(files: LocalFiles) -> None:
    there, not_there = "../data-secret/key.txt", "../data-secret/nothing"
    assert refusal(files, there).replace(there, "") == refusal(files, not_there).replace(
        not_there, ""
    )


def test_files_of_the_kernel_are_never_read() -> None:
    assert "leads out of" in refusal(LocalFiles(Path("/")), "proc/self/environ")


@pytest.mark.parametrize("target", ["../data-secret/key.txt", "/etc/passwd", "/proc/self/environ"])
def test_a_link_to_a_file_outside_is_refused(files: LocalFiles, root: Path, target: str) -> None:
    (root / "link.txt").symlink_to(target)
    assert "link" in refusal(files, "link.txt")


def test_a_link_to_a_folder_outside_is_refused(files: LocalFiles, root: Path) -> None:
    (root / "link").symlink_to("../data-secret")
    assert "link" in refusal(files, "link/key.txt")
    for attempt in (files.write("link/new/a.txt", "x"), files.append("link/key.txt", "x")):
        with pytest.raises(ServiceError, match="link"):
            asyncio.run(attempt)
    assert (root.parent / "data-secret" / "key.txt").read_text() == FOREIGN
    assert [each.name for each in (root.parent / "data-secret").iterdir()] == ["key.txt"]


def test_writing_over_a_link_is_refused(files: LocalFiles, root: Path) -> None:
    (root / "link.txt").symlink_to("../data-secret/key.txt")
    for attempt in (files.write("link.txt", "x"), files.append("link.txt", "x")):
        with pytest.raises(ServiceError, match="not a regular file"):
            asyncio.run(attempt)
    assert (root.parent / "data-secret" / "key.txt").read_text() == FOREIGN


@pytest.mark.skipif(not HAS_DIR_FD, reason="checks before it opens")
def test_swapping_a_folder_for_a_link_gains_nothing(root: Path) -> None:
    (root / "real").mkdir()
    (root / "real" / "key.txt").write_text("mine")
    (root / "outer").symlink_to("../data-secret")
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            for name in ("real", "outer"):
                (root / name).rename(root / "now")
                (root / "now").rename(root / name)

    files, seen = LocalFiles(root), set()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(swap)
        seen = set(asyncio.run(read_often(files, 400)))
        over.set()
    assert seen <= {"mine", None}


async def read_often(files: LocalFiles, times: int) -> list[str | None]:
    found: list[str | None] = []
    for _ in range(times):
        try:
            found.append(await files.read("now/key.txt"))
        except ServiceError:
            found.append(None)
    return found


def test_a_named_pipe_is_refused_at_once(files: LocalFiles, root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert "not a regular file" in refusal(files, "pipe")
    with pytest.raises(ServiceError, match="not a regular file"):
        asyncio.run(files.append("pipe", "x"))


def test_a_folder_is_not_a_file(files: LocalFiles, root: Path) -> None:
    (root / "folder").mkdir()
    assert refusal(files, "folder") == "'folder' is a folder: name a file."
    assert "is a folder" in refusal(files, ".")
    with pytest.raises(ServiceError, match="is a folder"):
        asyncio.run(files.write("folder", "x"))


def test_a_file_is_not_a_folder(files: LocalFiles) -> None:
    asyncio.run(files.write("a.txt", "x"))
    with pytest.raises(ServiceError, match="only folders are followed"):
        asyncio.run(files.write("a.txt/b.txt", "x"))


HIDDEN = [".git/config", ".ssh/id", ".jupyter/a.py", "a/.ipython/x", ".ipynb_checkpoints/a.ipynb"]
HIDDEN += [".dipeo/journal.db", ".env", "a/.hidden/b.txt"]
EXECUTED = ["a.pth", "lib/A.PTH", "jupyter_server_config.py", "Jupyter_Lab_Config.json"]
EXECUTED += ["sitecustomize.py", "usercustomize.py"]


@pytest.mark.parametrize("path", HIDDEN)
def test_hidden_places_are_neither_read_nor_written(
    files: LocalFiles, root: Path, path: str
) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(FOREIGN)
    assert "hidden" in refusal(files, path)
    for attempt in (files.write(path, "x"), files.append(path, "x")):
        with pytest.raises(ServiceError, match="hidden"):
            asyncio.run(attempt)
    assert (root / path).read_text() == FOREIGN


@pytest.mark.parametrize("path", EXECUTED)
def test_what_others_would_execute_is_not_written(files: LocalFiles, root: Path, path: str) -> None:
    for attempt in (files.write(path, "x"), files.append(path, "x")):
        with pytest.raises(ServiceError, match="would run it"):
            asyncio.run(attempt)
    assert list(root.iterdir()) == []


def test_a_file_over_the_limit_is_not_read(files: LocalFiles, root: Path) -> None:
    with (root / "big").open("wb") as file:
        file.truncate(MAX_READ + 1)
    assert "'big' is larger than 50 MB. A `db` reads `rows`" in refusal(files, "big")


def test_a_byte_order_mark_is_dropped(files: LocalFiles, root: Path) -> None:
    (root / "a.txt").write_bytes(b"\xef\xbb\xbfhello")
    assert asyncio.run(files.read("a.txt")) == "hello"


def test_text_in_another_encoding_is_named_as_such(files: LocalFiles, root: Path) -> None:
    (root / "a.txt").write_bytes("Grüße".encode("latin-1"))
    assert "not text in UTF-8 (byte 0xfc at position 2)" in refusal(files, "a.txt")


def test_half_a_character_is_refused_before_writing(files: LocalFiles, root: Path) -> None:
    with pytest.raises(ServiceError, match="half a character"):
        asyncio.run(files.write("a.txt", "x\ud800"))
    assert list(root.iterdir()) == []


def test_a_missing_file_is_named_with_its_nearest(files: LocalFiles) -> None:
    asyncio.run(files.write("data/customers.csv", "x"))
    said = refusal(files, "data/costumers.csv")
    assert said == "There is no file 'data/costumers.csv'. Did you mean 'data/customers.csv'?"


def test_a_missing_folder_is_named_with_its_nearest(files: LocalFiles) -> None:
    asyncio.run(files.write("reports/a.txt", "x"))
    assert refusal(files, "report/a.txt").endswith("Did you mean 'reports'?")


def test_no_message_holds_the_place_of_the_root(files: LocalFiles, root: Path) -> None:
    (root / "folder").mkdir()
    for path in ("nothing", "folder", "folder/nothing", "../x"):
        assert str(root) not in refusal(files, path)


def test_a_full_disk_leaves_the_old_file(files: LocalFiles, root: Path) -> None:
    asyncio.run(files.write("a.txt", "old"))
    with room_for(1000), pytest.raises(ServiceError, match="no room left to write"):
        asyncio.run(files.write("a.txt", "x" * 5000))
    assert (root / "a.txt").read_text() == "old"
    assert leftovers(root) == []


@pytest.mark.parametrize("before", [900, 1000])
def test_an_append_that_does_not_fit_leaves_no_trace(
    files: LocalFiles, root: Path, before: int
) -> None:
    asyncio.run(files.write("a.txt", "o" * before))
    with room_for(1000), pytest.raises(ServiceError, match="no room left"):
        asyncio.run(files.append("a.txt", "x" * 200))
    assert (root / "a.txt").read_text() == "o" * before


def test_two_writers_leave_one_whole_content(files: LocalFiles, root: Path) -> None:
    texts = [letter * 200_000 for letter in "abcdefgh"]

    async def all_at_once() -> None:
        await asyncio.gather(*(files.write("a.txt", text) for text in texts))

    asyncio.run(all_at_once())
    assert (root / "a.txt").read_text() in texts
    assert leftovers(root) == []


def test_appenders_at_once_lose_and_mix_nothing(files: LocalFiles) -> None:
    lines = {f"{number}:" + "x" * 3000 for number in range(60)}

    async def all_at_once() -> str:
        await asyncio.gather(*(files.append("a.txt", line + "\n") for line in lines))
        return await files.read("a.txt")

    assert set(asyncio.run(all_at_once()).splitlines()) == lines


def test_a_hard_link_outside_keeps_its_content(files: LocalFiles, root: Path) -> None:
    (root / "a.txt").hardlink_to(root.parent / "data-secret" / "key.txt")
    with pytest.raises(ServiceError, match="hard link"):
        asyncio.run(files.append("a.txt", "x"))
    asyncio.run(files.write("a.txt", "new"))
    assert (root.parent / "data-secret" / "key.txt").read_text() == FOREIGN


def test_rewriting_keeps_who_may_use_the_file(files: LocalFiles, root: Path) -> None:
    asyncio.run(files.write("a.txt", "x"))
    (root / "a.txt").chmod(0o600)
    asyncio.run(files.write("a.txt", "y"))
    assert (root / "a.txt").stat().st_mode & 0o777 == 0o600


def test_a_read_only_file_is_left_alone(files: LocalFiles, root: Path) -> None:
    asyncio.run(files.write("a.txt", "x"))
    (root / "a.txt").chmod(0o444)
    for attempt in (files.write("a.txt", "y"), files.append("a.txt", "y")):
        with pytest.raises(ServiceError, match="read-only"):
            asyncio.run(attempt)
    assert (root / "a.txt").read_text() == "x"


def test_no_descriptor_stays_open(files: LocalFiles, root: Path) -> None:
    (root / "folder").mkdir()
    asyncio.run(files.write("x/a.txt", "x"))
    before = open_descriptors()
    for path in ("folder", "nothing", "x/a.txt/b", "x/nothing"):
        refusal(files, path)
    asyncio.run(files.glob("**/*"))
    assert open_descriptors() == before


TREE = ["a.json", "b.txt", "data/a.json", "data/b.JSON", "data/deep/er/c.json", "data[1]/d.json"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.json", ["a.json"]),
        ("data/*.json", ["data/a.json"]),
        ("*/?.json", ["data/a.json", "data[1]/d.json"]),
        ("**/*.json", ["a.json", "data/a.json", "data/deep/er/c.json", "data[1]/d.json"]),
        ("data/**/c.json", ["data/deep/er/c.json"]),
        ("**/**/deep/**", ["data/deep/er/c.json"]),
        ("**", sorted(TREE)),
        ("data/[ab].[jJ]*", ["data/a.json", "data/b.JSON"]),
        ("nothing/*", []),
        ("data", []),
        ("a.json/*", []),
    ],
)
def test_a_pattern_finds_what_it_describes(
    files: LocalFiles, pattern: str, found: list[str]
) -> None:
    for path in TREE:
        asyncio.run(files.write(path, "x"))
    assert asyncio.run(files.glob(pattern)) == found


def test_a_pattern_never_leaves_the_root(files: LocalFiles, root: Path) -> None:
    (root / "link").symlink_to("../data-secret")
    (root / "self").symlink_to(".")
    (root / "key.txt").symlink_to("../data-secret/key.txt")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text(FOREIGN)
    os.mkfifo(root / "pipe")
    for pattern in ("**/*", "*/*", "link/*", "*"):
        assert asyncio.run(files.glob(pattern)) == []


@pytest.mark.parametrize("pattern", ["../*", "/etc/*", "*/../../*", ".git/*"])
def test_a_pattern_out_of_the_root_is_refused(files: LocalFiles, pattern: str) -> None:
    with pytest.raises(ServiceError):
        asyncio.run(files.glob(pattern))


def test_a_pattern_of_many_stars_ends_soon(files: LocalFiles) -> None:
    path = "/".join(["d"] * 40) + "/a.txt"
    asyncio.run(files.write(path, "x"))
    assert asyncio.run(files.glob("**/d/" * 8 + "**/a.txt")) == [path]
    assert asyncio.run(files.glob("**/d/" * 8 + "**/b.txt")) == []
