"""How does the first administrator come in, and the others after?"""

import re

import pytest

from calward.app.licensing.set_up import offer_set_up
from calward.domain.roles import Role


@pytest.fixture
def code(server):
    return server.ledger.write(lambda book: offer_set_up(book, now=book.now(), entropy=server.services.entropy)).text()


def form(server, **fields):
    return server.client.post("/setup", data=fields)


def works(server, token):
    answer = server.client.get("/api/v1/tokens", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code == 200


def test_a_setup_code_makes_one_license_administrator(server, code):
    made = server.client.post("/api/v1/setup", json={"code": code})
    assert made.status_code == 200
    assert (made.json()["name"], made.json()["role"]) == ("administrator", "license-administrator")
    assert works(server, made.json()["token"])
    assert server.client.post("/api/v1/setup", json={"code": code}).status_code == 401


def test_a_newer_setup_code_ends_the_one_before(server, code):
    newer = server.ledger.write(lambda book: offer_set_up(book, now=book.now(), entropy=server.services.entropy))
    assert server.client.post("/api/v1/setup", json={"code": code}).status_code == 401
    assert server.client.post("/api/v1/setup", json={"code": newer.text()}).status_code == 200


def test_a_setup_code_enrolls_no_host_and_a_hosts_code_sets_nothing_up(server, admin, code):
    assert server.client.post("/api/v1/hosts:enroll", json={"code": code}).status_code == 401
    body = {"name": "SH1", "version": "2016", "mode": "per-device"}
    made = server.client.post("/api/v1/hosts", json=body, headers=admin).json()
    assert server.client.post("/api/v1/setup", json={"code": made["code"]}).status_code == 401


def test_who_opens_the_server_in_a_browser_comes_to_the_page(server):
    found = server.client.get("/", follow_redirects=False)
    assert (found.status_code, found.headers["location"]) == (307, "setup")


def test_looking_at_the_page_uses_nothing_up(server, code):
    page = server.client.get("/setup", params={"code": code})
    assert page.status_code == 200
    assert f'value="{code}"' in page.text
    assert form(server, code=code, name="anna").status_code == 200


def test_the_page_shows_the_token_once(server, code):
    page = form(server, code=code, name="anna")
    [token] = re.findall(r"cala_[\w-]{43}", page.text)
    assert works(server, token)
    again = form(server, code=code, name="anna")
    assert again.status_code == 400
    assert "cala_" not in again.text
    assert 'role="alert"' in again.text
    assert "There is a license administrator already" in again.text


def test_the_page_says_which_server_the_command_line_is_to_ask(server, code):
    assert "export CALWARD_SERVER=http" in form(server, code=code).text


def test_an_address_that_a_shell_would_run_is_not_shown_for_copying(server, code):
    page = server.client.post("/setup", data={"code": code}, headers={"Host": "ls1;reboot"})
    assert "cala_" in page.text
    assert "reboot" not in page.text


def test_after_a_wrong_code_the_form_is_there_again(server, code):
    page = form(server, code="AAAA-AAAA-AAAA-AAAA", name="anna")
    assert page.status_code == 400
    assert "The code is wrong" in page.text
    assert 'value="anna"' in page.text
    assert 'value="AAAA-AAAA-AAAA-AAAA"' in page.text
    assert re.findall(r'id="(\w+)"[^>]* aria-invalid="true" aria-describedby="sorry"', page.text) == ["code"]
    assert form(server, code=code, name="anna").status_code == 200


def test_a_setup_code_is_not_used_up_by_a_bad_name(server, code):
    page = form(server, code=code, name="x\u202e")
    assert page.status_code == 400
    assert re.findall(r'id="(\w+)"[^>]* aria-invalid="true"', page.text) == ["name"]
    assert form(server, code=code, name="anna").status_code == 200


def test_a_name_that_is_taken_gets_a_number(server, code):
    server.admin(Role.VIEWER, name="anna")
    assert "<strong>anna-2</strong>" in form(server, code=code, name="anna").text


def test_a_link_that_was_left_lying_about_makes_no_second_administrator(server, code):
    server.admin(name="berta")
    for page in (server.client.get("/setup", params={"code": code}), form(server, code=code, name="anna")):
        assert "There is a license administrator already" in page.text
        assert "<form" not in page.text
    assert server.client.post("/api/v1/setup", json={"code": code}).status_code == 409


def test_the_page_may_load_and_be_framed_by_nothing_else(server):
    headers = server.client.get("/setup").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert (headers["referrer-policy"], headers["cache-control"]) == ("no-referrer", "no-store")
    assert "<script" not in server.client.get("/setup").text
    assert "url(" not in server.client.get("/setup/style.css").text


@pytest.mark.parametrize("text", ['"><script>alert(1)</script>', "{{ 7*7 }}", "</title><b>", "'onfocus='x"])
def test_what_stands_in_the_address_is_text_on_the_page(server, text):
    page = server.client.get("/setup", params={"code": text}).text
    for bad in ("<script>", "<b>", "49", "'onfocus="):
        assert bad not in page


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"\xff\xfe", "application/x-www-form-urlencoded"), (b"code=x&" * 50, "application/x-www-form-urlencoded"),
     (b"code=%FF", "application/x-www-form-urlencoded"), (b"{}", "application/json"), (b"", "")],
)  # fmt: skip
def test_what_is_no_form_is_refused_politely(server, content, kind):
    answer = server.client.post("/setup", content=content, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert "text/html" in answer.headers["content-type"]


def test_the_page_slows_guessers_down(server):
    answers = [form(server, code="AAAA-AAAA-AAAA-AAAA").status_code for _ in range(21)]
    assert answers[-1] == 429


def test_a_token_is_made_listed_without_itself_and_ended(server, admin):
    body = {"name": "backup", "role": "auditor", "days": 365}
    made = server.client.post("/api/v1/tokens", json=body, headers=admin).json()
    assert made["expires_at"] == "2027-03-01T08:00:00Z"
    listed = server.client.get("/api/v1/tokens", headers=admin)
    assert made["token"] not in listed.text
    assert {"backup"} < {x["name"] for x in listed.json()["items"]}
    assert server.client.delete(f"/api/v1/tokens/{made['id']}", headers=admin).json()["outcome"] == "ended"
    assert server.client.delete(f"/api/v1/tokens/{made['id']}", headers=admin).status_code == 404
    assert not works(server, made["token"])


def test_two_running_tokens_do_not_share_a_name(server, admin):
    body = {"name": "backup", "role": "auditor"}
    assert server.client.post("/api/v1/tokens", json=body, headers=admin).status_code == 200
    assert server.client.post("/api/v1/tokens", json=body, headers=admin).status_code == 409


@pytest.mark.parametrize(
    "changes",
    [
        {"days": 0},
        {"days": 4000},
        {"days": 1.5},
        {"days": True},
        {"role": "root"},
        {"name": ""},
        {"name": "x" * 65},
        {"name": "a\nb"},
    ],
)
def test_a_token_that_cannot_be_is_refused(server, admin, changes):
    body = {"name": "backup", "role": "auditor", "days": 1} | changes
    assert server.client.post("/api/v1/tokens", json=body, headers=admin).status_code == 400


def test_no_token_and_no_code_is_ever_written_down(server, admin, code):
    server.host()
    server.client.post("/api/v1/setup", json={"code": code})
    made = server.client.post("/api/v1/tokens", json={"name": "x", "role": Role.VIEWER.value}, headers=admin).json()
    events = server.client.get("/api/v1/audit/events", params={"limit": 500}, headers=admin).text
    assert "token-made" in events
    for secret in (made["token"], code, "cala_", "calh_"):
        assert secret not in events
