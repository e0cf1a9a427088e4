"""`mirpair serve`: RNAs are pasted, predicted as by the command, and nobody else may ask."""

from __future__ import annotations

import gzip
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from conftest import ROOT
from playwright.sync_api import Browser, Page, expect
from test_browser import WIDTHS, browser  # noqa: F401, a fixture

from mirpair.files import InputError
from mirpair.server import jobs as limits
from mirpair.server.jobs import Jobs
from mirpair.settings import PredictionSettings

DEMO = ROOT / "config" / "demo"
# A hairpin of the demo set, and an id that is HTML, a formula and a path at once.
HAIRPIN = "UGUCGGGUAGCUUAUCAGACUGAUGUUGACUGUUGAAUCUCAUGGCAACACCAGUCGAUGGGCUGUCUGACA"
EVIL = "<img/src=x/onerror=alert(1)>../../etc/passwd"
RNAS = f">chr1:101-172(+)\n{HAIRPIN}\n>{EVIL}\n{HAIRPIN[3:-3]}\n>short\nACGU\n"


class Answer(NamedTuple):
    """A reply of the server."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server(NamedTuple):
    """A running `mirpair serve`."""

    url: str
    folder: Path
    process: subprocess.Popen[str]

    def ask(
        self, path: str = "", *, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> Answer:
        parts = urlsplit(self.url)
        connection = HTTPConnection(parts.netloc, timeout=60)
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        target = path if path.startswith("/") else f"{parts.path}{path}"
        connection.request(method, target, body, named)
        reply = connection.getresponse()
        read = Answer(reply.status, reply.read(), {k.lower(): v for k, v in reply.getheaders()})
        connection.close()
        return read

    def send(self, rnas: str, query: str = "") -> int:
        reply = self.ask(f"jobs{query}", method="POST", body=rnas.encode())
        assert reply.status == 201, reply.body
        number: int = reply.json["job"]
        return number

    def ended(self, number: int) -> dict[str, Any]:
        """Wait until a set has ended, and return its state."""
        for _ in range(600):
            state: dict[str, Any] = self.ask(f"jobs/{number}").json
            if state["state"] not in ("waiting", "running"):
                return state
            time.sleep(0.1)
        raise AssertionError("it takes more than a minute")


def started(folder: Path, *options: str) -> Server:
    process = subprocess.Popen(
        [sys.executable, "-m", "mirpair.cli.app", "serve", "--no-browser", "--jobs", "1", *options],
        stderr=subprocess.PIPE,
        text=True,
        env={"TMPDIR": str(folder), "PATH": "", "HOME": str(folder)},
        cwd=ROOT,
    )
    assert process.stderr
    line = process.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/\S+/$", line.strip())
    assert found, line
    return Server(found[0], folder, process)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = started(tmp_path_factory.mktemp("serve"))
    yield running
    running.process.send_signal(signal.SIGINT)
    _, said = running.process.communicate(timeout=20)
    assert running.process.returncode == 0, said
    assert "Traceback" not in said
    assert not list(running.folder.glob("mirpair-*")), "RNAs and results are deleted"


@pytest.fixture(scope="module")
def done(server: Server) -> int:
    """A set of RNAs that is predicted."""
    number = server.send(RNAS)
    state = server.ended(number)
    assert state["state"] == "done", state["messages"]
    assert (state["done"], state["total"]) == (3, 3)
    return number


def test_the_table_and_the_files_are_those_of_the_command(
    server: Server, done: int, tmp_path: Path
) -> None:
    (tmp_path / "RNAs").write_text(RNAS)
    command = ["predict", "RNAs", "--annotate", "-o", "t.tsv", "--gff3", "t.gff3"]
    command += ["--fasta", "t.fa", "--jobs", "1"]
    said = subprocess.run(
        [sys.executable, "-m", "mirpair.cli.app", *command],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stderr
    for name, of_command in {
        "predictions.tsv": "t.tsv",
        "called.gff3": "t.gff3",
        "called.fa": "t.fa",
    }.items():
        reply = server.ask(f"jobs/{done}/files/{name}")
        assert reply.body == (tmp_path / of_command).read_bytes()
        assert f'filename="{name}"' in reply.headers["content-disposition"]
    assert b"chr1" in server.ask(f"jobs/{done}/files/called.gff3").body
    assert server.ask(f"jobs/{done}").json["messages"] == said.strip()
    table = server.ask(f"jobs/{done}/table").json
    header, *lines = (tmp_path / "t.tsv").read_text().splitlines()
    assert table["columns"] == header.split("\t")
    assert [row[0] for row in table["rows"]] == ["chr1:101-172(+)", EVIL, "short"]
    assert len(lines) == len(table["rows"]) == len(table["sequences"])
    assert table["sequences"][0] == HAIRPIN


def test_structures_and_importance_are_drawn(server: Server, done: int) -> None:
    pictures = {}
    for kind in ("structure", "importance"):
        reply = server.ask(f"jobs/{done}/records/2/{kind}.svg")
        assert reply.headers["content-type"] == "image/svg+xml"
        assert b"&lt;img/src=x" in reply.body
        assert b"<img" not in reply.body
        pictures[kind] = reply.body.decode()
    letters = re.findall(r">\s*([ACGU])\s*</text>", pictures["structure"])
    assert "".join(letters) == HAIRPIN[3:-3]
    assert "loss of log-odds" in pictures["importance"]
    assert "loss of log-odds" not in pictures["structure"]
    again = server.ask(f"jobs/{done}/records/2/importance.svg")
    assert again.body == reply.body
    for kind in ("structure", "importance"):
        refused = server.ask(f"jobs/{done}/records/3/{kind}.svg")
        assert refused.status == 400
        assert b"too short" in refused.body


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("", {"Host": "evil.example"}, 400),
        ("", {"Origin": "http://evil.example"}, 403),
        ("", {"Origin": "null"}, 403),
        ("", {"Sec_Fetch_Site": "cross-site"}, 403),
        ("", {"Sec_Fetch_Site": "same-site"}, 403),
        # Another server of this machine is another origin.
        ("", {"Origin": "http://127.0.0.1:1"}, 403),
        ("/", {}, 404),
        ("/another-secret/jobs/1", {}, 404),
        ("jobs/1/files/..%2f..%2fpasted.fa", {}, 404),
        ("jobs/1/files/RNAs", {}, 404),
        ("jobs/1/files/messages.txt", {}, 404),
        ("jobs/99/table", {}, 404),
        ("jobs/1/records/0/structure.svg", {}, 404),
        ("jobs/1/records/4/structure.svg", {}, 404),
        ("jobs/..%2f1/table", {}, 404),
    ],
)
def test_what_nobody_may_ask_is_refused(
    server: Server, done: int, path: str, headers: dict[str, str], status: int
) -> None:
    assert done == 1
    reply = server.ask(path, **headers)
    assert reply.status == status
    assert HAIRPIN.encode() not in reply.body
    posted = server.ask(path or "jobs", method="POST", body=RNAS.encode(), **headers)
    assert posted.status in (400, 403, 404, 405)


def test_the_page_itself_may_ask(server: Server) -> None:
    origin = server.url.split("/", 3)[:3]
    reply = server.ask(Origin="/".join(origin), Sec_Fetch_Site="same-origin")
    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-frame-options"] == "DENY"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in reply.headers
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert server.ask(**link, Sec_Fetch_Dest="document").status == 200, "a link to the page"
    assert server.ask(**link, Sec_Fetch_Dest="iframe").status == 403
    assert server.ask("jobs/1", **link, Sec_Fetch_Dest="document").status == 403
    page = " ".join(server.ask().body.decode().split())
    assert "if 10 % of such RNAs are pre-miRNAs" in page
    assert PredictionSettings.prior == 0.1


def test_only_this_machine_can_reach_it(server: Server) -> None:
    port = urlsplit(server.url).port
    assert port
    # All of 127.0.0.0/8 is this machine; a server on 0.0.0.0 would answer here too.
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", port))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "the text"),
        ("hello", "the text"),
        (">a\nACGU\n" * 10_001, "more than 10,000 records"),
        (gzip.compress(b">a\n" + b"A" * limits.MOST_BYTES), "more than 16 MiB of text"),
        (gzip.compress(b">a\nACGU\n")[:-9], "the file is damaged"),
    ],
)
def test_what_cannot_be_predicted_is_refused_with_the_reason(
    server: Server, body: str | bytes, words: str
) -> None:
    sent = body.encode() if isinstance(body, str) else body
    reply = server.ask("jobs", method="POST", body=sent)
    assert reply.status == 400
    assert words in reply.body.decode()
    assert str(server.folder) not in reply.body.decode()


def test_too_large_a_text_and_an_unknown_kingdom_are_refused(server: Server) -> None:
    large = server.ask("jobs", method="POST", body=b">a\n" + b"A" * limits.MOST_BYTES)
    assert large.status == 413
    assert "16 MiB" in large.body.decode()
    other = server.ask("jobs?kingdom=../fungi", method="POST", body=RNAS.encode())
    assert other.status == 400
    assert other.body == b"kingdom: must be animals or plants"


def test_a_compressed_file_and_plants_are_predicted_too(server: Server) -> None:
    body = gzip.compress(RNAS.encode())
    number = server.ask("jobs?kingdom=plants", method="POST", body=body).json["job"]
    assert server.ended(number)["state"] == "done"
    (of_plants, *_) = server.ask(f"jobs/{number}/table").json["rows"]
    # Not an earlier set: results of the oldest ones are deleted.
    animals = server.send(RNAS)
    assert server.ended(animals)["state"] == "done"
    (of_animals, *_) = server.ask(f"jobs/{animals}/table").json["rows"]
    assert of_plants[4] != of_animals[4], "the networks of plants give another score"


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    for _ in range(int(10 * seconds)):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} seconds")


def children(pid: int) -> list[str]:
    """Command lines of the processes that a process has started."""
    listed = subprocess.run(
        ["ps", "-o", "args=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [it for it in listed.stdout.splitlines() if "mirpair" in it]


def test_a_set_that_runs_is_stopped_and_its_process_ends(server: Server) -> None:
    many = (DEMO / "positives.fa").read_text() * 20
    first, waiting = server.send(many), server.send(RNAS)
    until(lambda: server.ask(f"jobs/{first}").json["done"] > 0)
    assert server.ask(f"jobs/{waiting}").json["state"] == "waiting"
    progress = server.ask(f"jobs/{first}").json
    assert 0 < progress["done"] < progress["total"] == many.count(">")
    early = server.ask(f"jobs/{first}/records/1/importance.svg")
    assert (early.status, early.body) == (400, b"these RNAs are running")
    assert server.ask(f"jobs/{first}", method="DELETE").status == 204
    assert server.ask(f"jobs/{first}").json["state"] == "stopped"
    assert server.ended(waiting)["state"] == "done", "the next one is predicted"
    assert not children(server.process.pid)


def test_a_process_that_is_killed_is_explained(server: Server) -> None:
    number = server.send((DEMO / "positives.fa").read_text() * 20)
    until(lambda: bool(children(server.process.pid)))
    subprocess.run(["pkill", "-KILL", "-P", str(server.process.pid)], check=True)
    state = server.ended(number)
    assert state["state"] == "failed"
    assert "most likely because memory ran out: send fewer RNAs" in state["messages"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_at_once_and_leaves_nothing_whatever_runs(
    tmp_path: Path, number: signal.Signals
) -> None:
    running = started(tmp_path)
    running.send((DEMO / "positives.fa").read_text() * 20)
    until(lambda: bool(children(running.process.pid)))
    running.process.send_signal(number)
    _, said = running.process.communicate(timeout=20)
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "ended; the RNAs and results are deleted"
    assert not list(tmp_path.glob("mirpair-*"))


def test_a_set_that_takes_too_long_is_stopped() -> None:
    many = (DEMO / "positives.fa").read_bytes() * 20
    sets = Jobs(processes=1, minutes=0.02)
    try:
        late, waiting = sets[sets.add(many, "animals")], sets[sets.add(many, "animals")]
        sets.stop(waiting)
        assert waiting.state == "stopped"
        with pytest.raises(InputError, match="stopped"):
            waiting.table()
        until(lambda: late.state not in ("waiting", "running"))
        assert late.state == "failed"
        assert late.messages == (
            "stopped: it took longer than 0.02 minutes (mirpair serve --minutes)"
        )
    finally:
        sets.close()
    assert not late.folder.exists()


def test_the_oldest_results_make_room_and_running_sets_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MOST_SETS", 2)
    sets = Jobs(processes=1, minutes=1)
    many = (DEMO / "positives.fa").read_bytes()
    try:
        first, second = sets.add(many, "animals"), sets.add(many, "animals")
        folder = sets[first].folder
        with pytest.raises(InputError, match="2 sets of RNAs are waiting"):
            sets.add(many, "animals")
        sets.stop(sets[first])
        third = sets.add(many, "animals")
        assert not folder.exists()
        assert third not in (first, second)
        with pytest.raises(KeyError):
            sets[first]
    finally:
        sets.close()


def test_a_port_that_is_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = ["serve", "--no-browser", "--port", str(port)]
        ended = subprocess.run(
            [sys.executable, "-m", "mirpair.cli.app", *command],
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert f"error: port {port}: " in ended.stderr
    assert "leave out --port" in ended.stderr


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_a_package_that_is_missing_is_named_with_what_installs_it(package: str) -> None:
    code = f"import sys; sys.modules['{package}'] = None; from mirpair.cli.app import app; app()"
    ended = subprocess.run(
        [sys.executable, "-c", code, "serve", "--no-browser"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"error: the page needs the package {package}")
    assert ended.stderr.endswith("pip install 'mirpair[page]'\n")


def opened(browser: Browser, server: Server, width: int) -> tuple[Page, list[str]]:  # noqa: F811
    """The page, and everything that it complained of or asked of others."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((server.url, "data:"))
            else complaints.append(request.url)
        ),
    )
    page.goto(server.url)
    return page, complaints


@pytest.mark.parametrize("width", WIDTHS)
def test_rnas_are_pasted_and_looked_at(
    browser: Browser,  # noqa: F811
    server: Server,
    done: int,
    width: int,
) -> None:
    page, complaints = opened(browser, server, width)
    rnas = f">nine\nACGUACGUA\n{RNAS}>long\n{'AC' * 50}\n"
    page.get_by_label("RNAs as FASTA").fill(rnas)
    page.get_by_role("button", name="Find pre-miRNAs").click()
    answer = page.locator("#answer")
    expect(answer).to_have_text(
        "Called pre-miRNAs: 2 of 5 RNAs (similar to a known hairpin: 2).", timeout=60_000
    )
    ids = page.locator("tbody td:first-child")
    assert ids.all_inner_texts() == ["nine", "chr1:101-172(+)", EVIL, "short", "long"]
    page.get_by_role("button", name="length, nt").click()
    assert ids.all_inner_texts() == ["long", "chr1:101-172(+)", EVIL, "nine", "short"]
    page.get_by_role("button", name="length, nt").click()
    assert ids.all_inner_texts() == ["short", "nine", EVIL, "chr1:101-172(+)", "long"]
    # What is shown is what the command wrote.
    number = int(page.url.rpartition("#")[2])
    table = server.ask(f"jobs/{number}/table").json
    row = dict(zip(table["columns"], table["rows"][1], strict=True))
    shown = page.locator("tbody tr").nth(3).locator("td").all_inner_texts()
    names = ("probability", "score", "family", "identity", "length", "mfe")
    assert [shown[place] for place in (2, 3, 4, 6, 7, 8)] == [row[name] for name in names]
    assert shown[5].split(" ")[0] == row["nearest"].split(",")[0] == "hsa-mir-21"
    page.get_by_label("only called").check()
    assert ids.all_inner_texts() == [EVIL, "chr1:101-172(+)"]
    page.get_by_label("Find in the table").fill("CHR1")
    assert ids.all_inner_texts() == ["chr1:101-172(+)"]
    page.get_by_label("Find in the table").fill("passwd")
    page.get_by_role("button", name=EVIL).click()
    expect(page.get_by_role("img", name="Secondary structure of")).to_be_visible()
    assert page.locator("#name").inner_text() == EVIL
    assert HAIRPIN[3:-3] in page.locator("#sequence").inner_text()
    page.get_by_role("button", name="Show what each base").click()
    contribution = page.get_by_role("img", name="What each base of")
    expect(contribution).to_be_visible(timeout=60_000)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide == width, "nothing but the table scrolls sideways"
    for kind in ("structure", "importance"):
        assert page.locator("#picture").evaluate("it => it.naturalWidth") > 100, kind
    for link, name in {
        "table (TSV)": "predictions.tsv",
        "called, with coordinates (GFF3)": "called.gff3",
        "called (FASTA)": "called.fa",
    }.items():
        with page.expect_download() as download:
            page.get_by_role("link", name=link).click()
        assert download.value.suggested_filename == name
        same = server.ask(f"jobs/{number}/files/{name}").body
        assert Path(download.value.path()).read_bytes() == same
    page.get_by_role("button", name="Back to the table").click()
    assert page.locator(":focus").inner_text() == EVIL
    page.reload()
    expect(answer).to_contain_text("2 of 5")
    assert complaints == []
    page.close()


def test_the_keyboard_alone_is_enough(browser: Browser, server: Server, done: int) -> None:  # noqa: F811
    page, complaints = opened(browser, server, 1600)
    page.keyboard.press("Tab")
    page.keyboard.insert_text(RNAS)
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Find pre-miRNAs"
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("2 of 3", timeout=60_000)
    page.locator("#find").focus()
    for _ in range(3 + 10):
        page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "chr1:101-172(+)"
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name="Secondary structure of")).to_be_visible()
    assert page.locator(":focus").get_attribute("id") == "name"
    assert complaints == []
    page.close()


def test_a_file_of_plants_is_sent_paged_through_and_stopped(
    browser: Browser,  # noqa: F811
    server: Server,
    tmp_path: Path,
) -> None:
    page, complaints = opened(browser, server, 1600)
    few = "".join(f">short{n}\nACGU\n" for n in range(150))
    (tmp_path / "few.fa.gz").write_bytes(gzip.compress((RNAS + few).encode()))
    page.get_by_label("RNAs as FASTA").fill(">other\nACGU\n")
    page.get_by_label("or a file").set_input_files(tmp_path / "few.fa.gz")
    assert page.get_by_label("RNAs as FASTA").input_value() == "", "the file is sent"
    page.get_by_label("trained on").select_option("plants")
    page.get_by_role("button", name="Find pre-miRNAs").click()
    expect(page.locator("#answer")).to_contain_text("of 153 RNAs", timeout=60_000)
    number = int(page.url.rpartition("#")[2])
    (of_plants, *_) = server.ask(f"jobs/{number}/table").json["rows"]
    # Not an earlier set: results of the oldest ones are deleted.
    animals = server.send(RNAS)
    assert server.ended(animals)["state"] == "done"
    (of_animals, *_) = server.ask(f"jobs/{animals}/table").json["rows"]
    assert of_plants[4] != of_animals[4]
    ids = page.locator("tbody td:first-child")
    assert ids.count() == 100
    page.get_by_role("button", name="Next 100").click()
    assert ids.all_inner_texts()[0] == "short97"
    assert page.locator("#shown").inner_text() == "101–153 of 153"
    page.get_by_role("button", name="Previous 100").click()
    assert ids.all_inner_texts()[0] == "chr1:101-172(+)"
    (tmp_path / "many.fa").write_text((DEMO / "positives.fa").read_text() * 20)
    page.get_by_label("or a file").set_input_files(tmp_path / "many.fa")
    page.get_by_role("button", name="Find pre-miRNAs").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#status")).to_have_text("Stopped", timeout=20_000)
    assert complaints == []
    page.close()


def test_a_refusal_is_shown(browser: Browser, server: Server) -> None:  # noqa: F811
    page, complaints = opened(browser, server, 400)
    page.get_by_role("button", name="Find pre-miRNAs").click()
    expect(page.locator("#status")).to_have_text("Paste RNAs, or choose a file.")
    page.get_by_label("RNAs as FASTA").fill("no FASTA")
    page.get_by_role("button", name="Find pre-miRNAs").click()
    expect(page.locator("#status")).to_contain_text("the text")
    expect(page.get_by_role("button", name="Find pre-miRNAs")).to_be_enabled()
    assert [it for it in complaints if "400" not in it] == []
    page.close()
