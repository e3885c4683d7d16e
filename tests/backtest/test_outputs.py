"""Files that a run ends in: refused before it, whole after it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from apps.backtest.output_files import write_faults, write_file


def test_a_file_in_a_folder_that_can_be_written_is_fine_and_nothing_is_left_by_asking(tmp_path: Path) -> None:
    assert write_faults([tmp_path / "new.csv"]) == []
    assert list(tmp_path.iterdir()) == []


def test_asking_keeps_what_is_there(tmp_path: Path) -> None:
    old_file = tmp_path / "old.csv"
    old_file.write_text("old")
    assert write_faults([old_file]) == []
    assert old_file.read_text() == "old"


@pytest.mark.parametrize(
    ("name", "fault"),
    [("", "it is a folder, name a file"), ("absent/new.csv", "the folder {tmp}/absent does not exist")],
)
def test_what_cannot_be_written_is_said(tmp_path: Path, name: str, fault: str) -> None:
    (text,) = write_faults([tmp_path / name])
    assert text == f"{tmp_path / name}: {fault.format(tmp=tmp_path)}"


def test_a_folder_that_takes_no_file_is_refused() -> None:
    (fault,) = write_faults([Path("/proc/new.csv")])
    assert fault.startswith("/proc/new.csv: it cannot be written: ")


def test_a_file_named_twice_is_refused_once(tmp_path: Path) -> None:
    path = tmp_path / "same"
    assert write_faults([path, path]) == [f"{path} is named twice"]


def test_a_file_is_replaced_whole_and_no_draft_stays(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("a much longer text that was there before")
    write_file(path, "né")
    assert path.read_text("utf-8") == "né"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_file(path, "half \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_is_written_through_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert write_faults([pipe]) == []
        write_file(pipe, "through")
        assert os.read(reader, 100) == b"through"
        assert pipe.is_fifo()
    finally:
        os.close(reader)


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_failure_names_the_file() -> None:
    with pytest.raises(OSError, match="/dev/full") as failed:
        write_file(Path("/dev/full"), "more than it holds")
    assert failed.value.filename == "/dev/full"
