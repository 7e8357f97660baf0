import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from buddy.data import download as download_module
from buddy.data.download import RemoteFile, download
from buddy.errors import EnvironmentFault, UserMistake

CONTENT = bytes(range(256)) * 2_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def official(url: str) -> RemoteFile:
    return RemoteFile(url, len(CONTENT), SHA256)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / "archive.tar.gz"


@pytest.fixture
def part(target: Path) -> Path:
    target.parent.mkdir()
    return target.with_name("archive.tar.gz.part")


def fetch(remote: RemoteFile, target: Path) -> bytes:
    assert download(remote, target, pause_seconds=0) == target
    assert [file.name for file in target.parent.iterdir()] == [target.name], "nothing else is left"
    return target.read_bytes()


def test_file_arrives_whole(serve, target):
    assert fetch(official(serve(CONTENT).url), target) == CONTENT


def test_file_that_is_there_is_not_fetched_again(serve, target):
    server = serve(CONTENT)
    fetch(official(server.url), target)
    fetch(official(server.url), target)
    assert len(server.ranges) == 1


def test_file_that_is_there_but_wrong_is_fetched_again(serve, target):
    target.parent.mkdir()
    target.write_bytes(b"old")
    assert fetch(official(serve(CONTENT).url), target) == CONTENT


def test_broken_connections_are_continued_where_they_broke(serve, target, capsys):
    server = serve(CONTENT, break_after=200_000)
    assert fetch(official(server.url), target) == CONTENT
    assert server.ranges == [None, "bytes=200000-", "bytes=400000-"]
    assert "trying again" in capsys.readouterr().err


def test_after_too_many_breaks_the_part_is_kept_and_the_next_run_goes_on(serve, target, part):
    server = serve(CONTENT, break_after=100_000)
    with pytest.raises(EnvironmentFault, match=r"300,000 bytes are kept in .*archive\.tar\.gz\.part"):
        download(official(server.url), target, pause_seconds=0)
    assert part.read_bytes() == CONTENT[:300_000]
    assert not target.exists()
    server.break_after = None
    assert fetch(official(server.url), target) == CONTENT
    assert server.ranges[-1] == "bytes=300000-"


def test_interrupt_keeps_the_part(serve, target, part, monkeypatch):
    def interrupted(blocks: Iterator[bytes]) -> Iterator[bytes]:
        yield next(blocks)
        raise KeyboardInterrupt

    import httpx

    whole = httpx.Response.iter_raw
    monkeypatch.setattr(httpx.Response, "iter_raw", lambda self: interrupted(whole(self, 1_000)))
    server = serve(CONTENT)
    with pytest.raises(KeyboardInterrupt):
        download(official(server.url), target)
    monkeypatch.undo()
    assert part.read_bytes() == CONTENT[:1_000]
    assert fetch(official(server.url), target) == CONTENT
    assert server.ranges[-1] == "bytes=1000-"


def test_server_that_ignores_ranges_sends_it_all_again(serve, target, part):
    part.write_bytes(CONTENT[:1_000])
    server = serve(CONTENT, honours_ranges=False)
    assert fetch(official(server.url), target) == CONTENT
    assert server.ranges == ["bytes=1000-"]


def test_two_versions_are_never_glued_together(serve, target, part):
    server = serve(b"a" * 1_000, break_after=300)
    with pytest.raises(EnvironmentFault):
        download(RemoteFile(server.url), target, pause_seconds=0)
    assert part.stat().st_size == 900
    server.content, server.etag, server.break_after = b"b" * 1_000, '"two"', None
    assert fetch(RemoteFile(server.url), target) == b"b" * 1_000


def test_part_of_unknown_origin_is_not_continued_without_a_checksum(serve, target, part):
    part.write_bytes(b"something else")
    server = serve(CONTENT)
    assert fetch(RemoteFile(server.url), target) == CONTENT
    assert server.ranges == [None]


def test_part_that_is_too_big_is_thrown_away(serve, target, part):
    part.write_bytes(CONTENT + b"more")
    assert fetch(official(serve(CONTENT).url), target) == CONTENT


def test_part_that_is_whole_needs_no_server(target, part):
    part.write_bytes(CONTENT)
    assert fetch(official("http://127.0.0.1:9/archive.tar.gz"), target) == CONTENT


def test_part_that_is_whole_and_of_unknown_size_is_accepted(serve, target, part):
    part.write_bytes(CONTENT)
    assert fetch(RemoteFile(serve(CONTENT).url, sha256=SHA256), target) == CONTENT


def test_part_longer_than_the_file_on_the_server_is_thrown_away(serve, target, part):
    part.write_bytes(CONTENT + b"more")
    assert fetch(RemoteFile(serve(CONTENT).url, sha256=SHA256), target) == CONTENT


def test_answer_with_another_range_is_not_used(serve, target, part, monkeypatch):
    part.write_bytes(CONTENT[:1_000])
    server = serve(CONTENT)
    monkeypatch.setattr(server, "content", CONTENT)
    original = download_module._request_headers
    monkeypatch.setattr(download_module, "_request_headers", lambda *args: {**original(*args), "Range": "bytes=500-"})
    with pytest.raises(EnvironmentFault):
        download(official(server.url), target, pause_seconds=0)
    assert not target.exists()


@pytest.mark.parametrize("wrong", [CONTENT[:-1], CONTENT + b"!", CONTENT[:-1] + b"!"])
def test_wrong_content_is_removed_and_named(serve, target, part, wrong):
    with pytest.raises(EnvironmentFault, match="not the expected file"):
        download(official(serve(wrong).url), target, pause_seconds=0)
    assert not list(target.parent.iterdir())


def test_stale_part_ends_in_a_checksum_failure_and_then_in_success(serve, target, part):
    part.write_bytes(b"z" * 1_000)
    remote = official(serve(CONTENT).url)
    with pytest.raises(EnvironmentFault, match="SHA-256"):
        download(remote, target, pause_seconds=0)
    assert fetch(remote, target) == CONTENT


@pytest.mark.parametrize(("status", "kind"), [(404, UserMistake), (403, UserMistake), (503, EnvironmentFault)])
def test_refusals_are_passed_on(serve, target, status, kind):
    with pytest.raises(kind, match=f"answered {status} .*--archive"):
        download(official(serve(CONTENT, status=status).url), target, pause_seconds=0)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "nonsense", "", "https://x..y/z", "http://[::1"])
def test_addresses_that_are_none(target, url):
    with pytest.raises(UserMistake, match="not an http or https address"):
        download(RemoteFile(url), target)


def test_no_connection(target):
    with pytest.raises(EnvironmentFault, match=r"Could not fetch .* Try again, or give a copy"):
        download(official("http://127.0.0.1:9/archive.tar.gz"), target, pause_seconds=0)


def test_full_disk_says_so(serve, target, monkeypatch):
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download_module, "_save", full)
    with pytest.raises(EnvironmentFault, match="could not be written: No space left on device; free"):
        download(official(serve(CONTENT).url), target, pause_seconds=0)
