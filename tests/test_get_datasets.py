"""get_datasets.sh runs on archives that this file makes; no test uses the network."""

import hashlib
import http.server
import io
import os
import re
import shutil
import subprocess
import tarfile
import threading
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "get_datasets.sh"
FOLDER = "cifar-10-batches-py"
FILES = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch", "batches.meta"]
WAYS = ["web", "file", "archive"]
NOWHERE = "http://127.0.0.1:9/cifar-10-python.tar.gz"
TOOLS = ["bash", "cat", "chmod", "cut", "dirname", "gzip", "md5sum", "mkdir", "mv", "rm", "tar", "tr"]


def make_archive(path, members):
    """A .tar.gz of {name: content as bytes, or as a string the target of a symbolic link}."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
            else:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content) if info.size else None)
    return path


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def archive(tmp_path):
    return make_archive(tmp_path / "archive.tar.gz", {f"{FOLDER}/{name}": os.urandom(3000) for name in FILES})


@pytest.fixture
def target(tmp_path):
    return tmp_path / "some folder" / "datasets"


@pytest.fixture
def start(target):
    """Start the script for `target`, with further environment variables; `script` may be a copy of it."""

    def start(script=SCRIPT, **variables):
        variables = {
            "CS231N_DATASETS": target,
            "CIFAR10_URL": NOWHERE,
            "CIFAR10_ARCHIVE": "",
            "CIFAR10_MD5": "",
            "no_proxy": "*",
            **variables,
        }
        environment = {**os.environ, **{name: str(value) for name, value in variables.items()}}
        return subprocess.Popen([script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


@pytest.fixture
def run(start):
    """Run the script to its end; returns exit code, stdout and stderr."""

    def run(**variables):
        process = start(**variables)
        output = process.communicate(timeout=240)
        return process.returncode, *output

    return run


@pytest.fixture
def server(archive):
    """An HTTP server for the archive that knows Range; `server.cut` breaks the answers off after so many bytes."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content, asked = archive.read_bytes(), self.headers.get("Range")
            self.server.asked.append(asked)
            first = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and self.server.knows_range else 0
            if first >= len(content):
                return self.send_error(416)
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(content) - first))
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            self.wfile.write(content[first:][: self.server.cut])
            self.server.goes_on.wait(280)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.cut, server.knows_range, server.goes_on = [], None, True, threading.Event()
        server.goes_on.set()
        server.url = f"http://127.0.0.1:{server.server_address[1]}/cifar-10-python.tar.gz"
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield server
        server.goes_on.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def sources(server, archive):
    urls = {"web": server.url, "file": archive.as_uri()}
    return {**{way: {"CIFAR10_URL": url} for way, url in urls.items()}, "archive": {"CIFAR10_ARCHIVE": archive}}


def everything_in(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_installed(target, archive):
    assert everything_in(target) == [FOLDER]
    with tarfile.open(archive) as tar:
        for name in FILES:
            assert (target / FOLDER / name).read_bytes() == tar.extractfile(f"{FOLDER}/{name}").read()


@pytest.mark.parametrize("way", WAYS)
def test_it_fetches_checks_and_unpacks(run, sources, archive, target, way):
    before = archive.read_bytes()
    code, out, _ = run(**sources[way], CIFAR10_MD5=md5(archive).upper())
    assert code == 0 and f"CIFAR-10 is now in {target / FOLDER}" in out
    assert_installed(target, archive)
    assert archive.read_bytes() == before


def test_without_a_folder_named_it_fills_datasets_beside_itself(run, archive, tmp_path):
    script = tmp_path / "assignment2" / "get_datasets.sh"
    script.parent.mkdir()
    shutil.copy(SCRIPT, script)
    assert run(script=script, CS231N_DATASETS="", CIFAR10_ARCHIVE=archive, CIFAR10_MD5=md5(archive))[0] == 0
    assert_installed(tmp_path / "assignment2" / "datasets", archive)


def test_data_that_is_there_is_not_fetched_again(run, server, archive, target):
    run(CIFAR10_ARCHIVE=archive, CIFAR10_MD5=md5(archive))
    for folder in (target, target / FOLDER):
        code, out, _ = run(CIFAR10_URL=server.url, CS231N_DATASETS=folder)
        assert code == 0 and f"already in {target / FOLDER}" in out and server.asked == []


def test_an_incomplete_folder_is_replaced_and_kept_aside(run, archive, target):
    (target / FOLDER).mkdir(parents=True)
    (target / FOLDER / "test_batch").write_text("mine")
    code, out, _ = run(CIFAR10_ARCHIVE=archive, CIFAR10_MD5=md5(archive))
    assert code == 0 and "lacks files. The script renamed it to" in out
    (aside,) = target.glob(f"{FOLDER}.incomplete.*")
    assert [path.name for path in aside.iterdir()] == ["test_batch"] and len(everything_in(target / FOLDER)) == 7


def test_a_broken_off_download_is_kept_and_resumed(run, server, archive, target):
    server.cut = 7000
    assert run(CIFAR10_URL=server.url, CIFAR10_MD5=md5(archive))[0] == 1
    (partial,) = target.iterdir()
    assert partial.name.endswith(".partial") and partial.stat().st_size == 7000
    server.cut = None
    assert run(CIFAR10_URL=server.url, CIFAR10_MD5=md5(archive))[0] == 0
    assert server.asked[-1] == "bytes=7000-"
    assert_installed(target, archive)


def test_a_run_that_is_told_to_stop_stops_at_once_and_keeps_what_it_has(start, server, archive, target):
    server.cut = 7000
    server.goes_on.clear()
    process = start(CIFAR10_URL=server.url)
    while process.poll() is None and not any(path.stat().st_size for path in target.glob(".cifar-10-fetch.*/archive")):
        time.sleep(0.02)
    process.terminate()
    process.communicate(timeout=140)  # half of what the server would wait
    assert process.returncode == 143 and everything_in(target) == ["cifar-10-python.tar.gz.partial"]


def test_the_download_of_a_killed_run_is_resumed(run, server, archive, target):
    leftover = target / ".cifar-10-fetch.99999999"  # no system gives a process so high a number
    (leftover / FOLDER).mkdir(parents=True)
    (leftover / FOLDER / "test_batch").write_text("half")
    (leftover / "archive").write_bytes(archive.read_bytes()[:5000])
    assert run(CIFAR10_URL=server.url, CIFAR10_MD5=md5(archive))[0] == 0
    assert server.asked == ["bytes=5000-"]
    assert_installed(target, archive)


@pytest.mark.parametrize("knows_range, size", [(False, 5000), (True, 100_000)])
def test_a_download_that_cannot_be_resumed_is_started_over(run, server, archive, target, knows_range, size):
    target.mkdir(parents=True)
    (target / "cifar-10-python.tar.gz.partial").write_bytes(archive.read_bytes()[:5000].ljust(size, b"x")[:size])
    server.knows_range = knows_range
    assert run(CIFAR10_URL=server.url, CIFAR10_MD5=md5(archive))[0] == 0
    assert_installed(target, archive)


def test_a_finished_download_is_not_asked_for_again(run, server, archive, target):
    target.mkdir(parents=True)
    shutil.copy(archive, target / "cifar-10-python.tar.gz.partial")
    assert run(CIFAR10_URL=server.url, CIFAR10_MD5=md5(archive))[0] == 0
    assert server.asked == []
    assert_installed(target, archive)


def test_two_runs_at_once_both_end_well(start, server, archive, target):
    processes = [start(CIFAR10_URL=server.url, CIFAR10_MD5=md5(archive)) for _ in range(4)]
    assert [process.communicate(timeout=240) and process.returncode for process in processes] == [0] * 4
    assert_installed(target, archive)


@pytest.mark.parametrize("way", WAYS)
def test_a_bad_checksum_leaves_nothing_behind(run, sources, archive, target, way):
    code, _, err = run(**sources[way])
    assert code == 2 and f"checksum is {md5(archive)}, expected was c58f30108f718f92721af3b95e74349a" in err
    assert "Run this script again" in err
    assert everything_in(target) == [] and archive.is_file()


@pytest.mark.parametrize("url", [NOWHERE, "file:///nowhere/cifar-10-python.tar.gz"])
def test_when_nothing_can_be_downloaded_it_says_that_the_sample_does(run, target, url):
    code, _, err = run(CIFAR10_URL=url)
    assert code == 1 and url in err and "built-in sample" in err and "CIFAR10_ARCHIVE=" in err
    assert "\n\n" not in err and everything_in(target) == []


def test_a_folder_that_cannot_be_written_to_is_named(run, archive, target):
    target.parent.mkdir()
    target.touch()
    code, _, err = run(CIFAR10_ARCHIVE=archive)
    assert code == 1 and f"{target} cannot be written to; set CS231N_DATASETS" in err


WHOLE = {f"{FOLDER}/{name}": b"data" for name in FILES}


@pytest.mark.parametrize(
    "members, complaint",
    [
        ({**WHOLE, "../outside": b"x"}, f"a name outside {FOLDER}: "),
        ({**WHOLE, "/tmp/outside": b"x"}, f"a name outside {FOLDER}: "),
        ({**WHOLE, f"{FOLDER}/../../outside": b"x"}, "contains a name with .."),
        ({**WHOLE, "cifar-10-sample/test_batch": b"x"}, f"a name outside {FOLDER}"),
        ({**WHOLE, f"{FOLDER}/link": "/tmp"}, "neither a file nor a folder"),
        ({name: content for name, content in WHOLE.items() if "batch_3" not in name}, "lacks a part of CIFAR-10"),
        ({**WHOLE, f"{FOLDER}/test_batch": b""}, "lacks a part of CIFAR-10"),
        ({}, "is empty"),
    ],
)
@pytest.mark.parametrize("way", ["archive", "file"])
def test_an_archive_of_anything_else_is_refused(run, sources, archive, tmp_path, target, members, complaint, way):
    make_archive(archive, members)
    code, _, err = run(**sources[way], CIFAR10_MD5=md5(archive))
    assert code == 2 and complaint in err and f"Expected is cifar-10-python.tar.gz with the folder {FOLDER}" in err
    assert everything_in(target) == [] and not list(tmp_path.rglob("outside"))


def test_a_local_archive_that_is_missing_or_is_none_is_refused(run, tmp_path, target):
    page = tmp_path / "page.html"
    code, _, err = run(CIFAR10_ARCHIVE=page)
    assert code == 2 and f"names {page}, but there is no such file" in err
    page.write_text("<html>please log in</html>")
    code, _, err = run(CIFAR10_ARCHIVE=page, CIFAR10_MD5=md5(page))
    assert code == 2 and "the archive cannot be read" in err and everything_in(target) == []


@pytest.fixture
def tools(tmp_path):
    """A folder for PATH with the few programs the script needs, and neither curl nor wget."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(shutil.which(name))
    return folder


def test_without_curl_it_uses_wget_and_lets_it_continue(run, archive, target, tools):
    (tools / "wget").write_text("""#!/usr/bin/env bash
[[ $1 == --continue && $4 == --output-document=* ]] && cat "$ARCHIVE" >"${4#*=}"\n""")
    (tools / "wget").chmod(0o755)
    assert run(PATH=tools, ARCHIVE=archive, CIFAR10_MD5=md5(archive))[0] == 0
    assert_installed(target, archive)


def test_with_neither_curl_nor_wget_it_says_so(run, tools):
    code, _, err = run(PATH=tools)
    assert code == 1 and "neither curl nor wget is installed" in err and "built-in sample" in err


@pytest.mark.parametrize(
    "name, text",
    [
        ("md5", 'PATH=/usr/bin:/bin; md5sum "$2" | cut -d " " -f 1'),
        ("python3", 'PATH=/usr/bin:/bin; md5sum "$3" | cut -d " " -f 1'),
    ],
)
def test_without_md5sum_it_uses_what_there_is(run, archive, target, tools, name, text):
    (tools / "md5sum").unlink()
    (tools / name).write_text(f"#!{shutil.which('bash')}\n{text}\n")
    (tools / name).chmod(0o755)
    assert run(PATH=tools, CIFAR10_ARCHIVE=archive, CIFAR10_MD5=md5(archive))[0] == 0
    assert_installed(target, archive)


def test_with_no_tool_for_checksums_it_refuses(run, archive, target, tools):
    (tools / "md5sum").unlink()
    code, _, err = run(PATH=tools, CIFAR10_ARCHIVE=archive, CIFAR10_MD5=md5(archive))
    assert code == 2 and "no tool to compute an md5 checksum" in err and everything_in(target) == []
