"""Contract 2: client key and secret, refresh token, access token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.raw_http.wire import DAY

if TYPE_CHECKING:
    from tests.raw_http.wire import Api

REFRESH, ACCESS = "User/GenerateRefreshToken", "User/GenerateAccessToken"


def test_key_and_secret_give_a_refresh_token_and_nothing_else(api: Api) -> None:
    response = api.ask("POST", REFRESH, authorization=api.basic()).ok()
    assert set(response) == {"refreshToken"}
    assert isinstance(response["refreshToken"], str)


def test_a_refresh_token_gives_an_access_token_for_a_day(api: Api) -> None:
    response = api.ask("POST", ACCESS, token=api.refresh).ok()
    assert set(response) == {"accessToken", "expiredAfterSeconds"}
    assert isinstance(response["accessToken"], str)
    assert response["expiredAfterSeconds"] == DAY


@pytest.mark.parametrize("body", [None, b"[]", b'"[]"', b"{}", b"anything"])
def test_neither_token_call_reads_its_body(api: Api, body: bytes | None) -> None:
    assert api.ask("POST", REFRESH, raw=body, authorization=api.basic()).ok()["refreshToken"]
    assert api.ask("POST", ACCESS, raw=body, token=api.refresh).ok()["accessToken"]


@pytest.mark.parametrize(("key", "secret"), [("ck_other", None), (None, "cs_other"), (None, "cs_emulator\n")])
def test_a_wrong_key_or_secret_is_refused_in_a_200(api: Api, key: str | None, secret: str | None) -> None:
    answer = api.ask("POST", REFRESH, authorization=api.basic(key, secret))
    assert answer.refused() == "WrongClientKeyOrClientSecret"


@pytest.mark.parametrize("authorization", ["", "Basic %%%", "Basic bm9jb2xvbg==", "Digest x"])
def test_a_refresh_token_is_not_given_for_what_is_no_basic_credential(api: Api, authorization: str) -> None:
    answer = api.ask("POST", REFRESH, token="", authorization=authorization)
    assert answer.refused() in ("UnauthorizedAccess", "WrongClientKeyOrClientSecret")


def test_an_access_token_asks_for_a_refresh_token(api: Api) -> None:
    for wrong in ("", "made-up", api.token):
        assert api.ask("POST", ACCESS, token=wrong).refused() == "UnauthorizedAccess"


def test_older_tokens_stay_good(api: Api) -> None:
    """Contract 2.1 (assumed: a new one revokes none) and 2.2 (the vendor fetches one for each call)."""
    refresh, access = api.refresh, api.token
    api.log_in()
    assert access != api.token
    assert api.ask("GET", "Invoice/getall", token=access).status == 200
    assert api.ask("POST", ACCESS, token=refresh).ok()["accessToken"]


def test_a_refresh_token_outlives_the_day(api: Api) -> None:
    api.emulator.control.advance(20 * DAY)
    token = api.ask("POST", ACCESS, token=api.refresh).ok()["accessToken"]
    assert api.ask("GET", "Invoice/getall", token=token).status == 200
