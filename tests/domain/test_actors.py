"""An actor's name is fit for the journal, and its owner says whose things it may touch."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from omniorder.domain.actors import Actor, Agent, Associate, Customer, Guest, System
from omniorder.errors import InvalidId

TOKEN = "dGhpcyBpcyBhIHNlY3JldA_-"
HASH = hashlib.sha256(TOKEN.encode()).hexdigest()[:32]


@pytest.mark.parametrize(
    ("actor", "name", "owner"),
    [
        (Customer("anna"), "customer:anna", "customer:anna"),
        (Guest(TOKEN), f"guest:{HASH}", f"guest:{HASH}"),
        (Associate("ivan", store="SOF01"), "associate:ivan@SOF01", None),
        (Agent("mila"), "agent:mila", None),
        (Agent("mila", customer="anna"), "agent:mila", "customer:anna"),
        (System("setup"), "system:setup", None),
    ],
)
def test_every_actor_has_a_name_and_an_owner(actor: Actor, name: str, owner: str | None) -> None:
    assert (actor.name, actor.owner) == (name, owner)


def test_a_guest_s_token_is_never_shown() -> None:
    guest = Guest(TOKEN)
    assert TOKEN not in f"{guest!r} {guest} {guest.name} {guest.owner}"


def test_a_refused_token_is_not_shown_either() -> None:
    with pytest.raises(InvalidId) as refusal:
        Guest("short-but-secret")
    assert "secret" not in str(refusal.value.problem())


@pytest.mark.parametrize(
    "token", ["", "x" * 21, "x" * 129, "x" * 21 + " ", "x" * 22 + "\n", "ж" * 22, None, 5, b"x" * 22]
)
def test_a_token_is_long_and_url_safe(token: Any) -> None:
    with pytest.raises(InvalidId):
        Guest(token)


@pytest.mark.parametrize("token", ["x" * 22, "x" * 128])
def test_the_shortest_and_the_longest_token_are_accepted(token: str) -> None:
    assert Guest(token).token == token


def test_two_guests_are_two_owners() -> None:
    assert Guest("a" * 22).owner != Guest("b" * 22).owner


@pytest.mark.parametrize("bad", ["", " ", "a\nb", "a\x00b", "x" * 201, None, 7])
@pytest.mark.parametrize("kind", [Customer, Agent, System])
def test_an_id_that_is_unfit_for_a_log_is_refused(kind: type[Any], bad: object) -> None:
    with pytest.raises(InvalidId):
        kind(bad)


@pytest.mark.parametrize(("id", "store"), [("", "SOF01"), ("ivan", "sof01"), ("ivan", None), (None, "SOF01")])
def test_an_associate_has_an_id_and_a_store(id: Any, store: Any) -> None:
    with pytest.raises(InvalidId):
        Associate(id, store)


def test_an_agent_acts_for_a_real_customer_or_for_none() -> None:
    with pytest.raises(InvalidId):
        Agent("mila", customer="")


def test_a_customer_and_an_agent_of_one_id_are_different_actors() -> None:
    assert len({Customer("anna").name, Agent("anna").name, System("anna").name}) == 3
