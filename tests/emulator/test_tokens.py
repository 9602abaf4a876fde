from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from django_sadadpay.emulator import Emulator
    from tests.emulator.conftest import Merchant


def refresh(emulator: Emulator, **options: Any) -> Any:
    reply = requests.post(f"{emulator.api_url}/User/GenerateRefreshToken", timeout=5, **options)
    assert reply.status_code == 200
    return reply.json()


def test_key_and_secret_give_a_refresh_token(emulator: Emulator) -> None:
    reply = refresh(emulator, auth=(emulator.client_key, emulator.client_secret))

    assert (reply["isValid"], reply["errorKey"]) == (True, None)
    assert reply["response"]["refreshToken"]


@pytest.mark.parametrize("body", [b"", b"[]", b'"[]"', b"not json"])
def test_body_of_a_token_call_is_not_read(emulator: Emulator, body: bytes) -> None:
    assert refresh(emulator, auth=(emulator.client_key, emulator.client_secret), data=body)["isValid"]


@pytest.mark.parametrize("keys", [("ck_wrong", "cs_emulator"), ("ck_emulator", "cs_emulator\n")])
def test_wrong_keys_are_refused_in_http_200(emulator: Emulator, keys: tuple[str, str]) -> None:
    expected = {"isValid": False, "errorKey": "WrongClientKeyOrClientSecret", "response": None}
    assert refresh(emulator, auth=keys) == expected


@pytest.mark.parametrize("header", ["", "Bearer x", "Basic $$$"])
def test_missing_keys_are_unauthorized(emulator: Emulator, header: str) -> None:
    assert refresh(emulator, headers={"Authorization": header})["errorKey"] == "UnauthorizedAccess"


def test_access_token_lasts_a_day(merchant: Merchant) -> None:
    reply = merchant.ask("POST", "User/GenerateAccessToken", token=merchant.refresh)

    assert reply["response"]["expiredAfterSeconds"] == 86400
    merchant.token = reply["response"]["accessToken"]
    merchant.emulator.control.advance(86399)
    assert merchant.ask("GET", "Invoice/getall")["errorKey"] == "EmptyResult"
    merchant.emulator.control.advance(2)
    assert merchant.send("GET", "Invoice/getall").json()["errorKey"] == "TokenExpired"


@pytest.mark.parametrize("kind", ["access", "unknown"])
def test_only_a_refresh_token_gives_an_access_token(merchant: Merchant, kind: str) -> None:
    token = merchant.token if kind == "access" else "unknown"
    reply = merchant.ask("POST", "User/GenerateAccessToken", token=token)
    assert reply == {"isValid": False, "errorKey": "UnauthorizedAccess", "response": None}


@pytest.mark.parametrize(
    ("token", "error_key"),
    [("", "UnauthorizedAccess"), ("wrong", "InvalidToken"), ("refresh", "InvalidToken")],
)
def test_other_endpoints_answer_401_without_an_access_token(
    merchant: Merchant, token: str, error_key: str
) -> None:
    sent = merchant.refresh if token == "refresh" else token
    reply = merchant.send("GET", "Invoice/getbyid?id=1", token=sent)

    assert reply.status_code == 401
    assert reply.json() == {"isValid": False, "errorKey": error_key, "response": None}


def test_revoked_tokens_stop_working_and_new_ones_work(merchant: Merchant) -> None:
    assert merchant.emulator.control.revoke_tokens("access") == 1
    assert merchant.send("GET", "Invoice/getall").status_code == 401

    merchant.log_in()
    assert merchant.send("GET", "Invoice/getall").status_code == 200


def test_new_tokens_leave_the_old_ones_valid(merchant: Merchant) -> None:
    old = merchant.token
    merchant.log_in()
    assert merchant.send("GET", "Invoice/getall", token=old).status_code == 200


def test_currencies_need_no_token(merchant: Merchant) -> None:
    reply = merchant.ask("GET", "Common/getcurrencies", token="")
    rows = {row["code"]: row for row in reply["response"]}

    assert (rows["USD"]["conversionRate"], rows["USD"]["decimalPlacement"]) == (0.31, 2)
    assert (rows["KWD"]["conversionRate"], rows["KWD"]["decimalPlacement"]) == (1.0, 3)


def test_success_may_carry_an_empty_error_key(merchant: Merchant) -> None:
    merchant.emulator.control.settings(empty_error_key="empty")
    assert merchant.ask("GET", "Common/getcurrencies")["errorKey"] == ""
