from __future__ import annotations

import pytest

from ship.runner.errors import UserError
from ship.runner.reader import Reader
from ship.ssh import Target, read_targets


def read(host: str, user: str = "deploy", port: str = "") -> tuple[Target, ...]:
    reader = Reader({"INPUT_HOST": host, "INPUT_USER": user, "INPUT_PORT": port})
    targets = read_targets(reader)
    reader.done()
    return targets


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("h1", Target("h1", "deploy", 2022)),
        ("H1.Example.COM", Target("h1.example.com", "deploy", 2022)),
        ("h1:22", Target("h1", "deploy", 22)),
        ("root@h1:22", Target("root", "h1", 22)._replace(host="h1", user="root")),
        ("me@corp.example@h1", Target("h1", "me@corp.example", 2022)),
        ("10.0.0.1", Target("10.0.0.1", "deploy", 2022)),
        ("2001:DB8::1", Target("2001:db8::1", "deploy", 2022)),
        ("::1", Target("::1", "deploy", 2022)),
        ("::ffff:10.0.0.1", Target("::ffff:10.0.0.1", "deploy", 2022)),
        ("[2001:db8::1]:22", Target("2001:db8::1", "deploy", 22)),
        ("root@[2001:db8::1]", Target("2001:db8::1", "root", 2022)),
    ],
)
def test_a_host_is_read_in_any_of_its_forms(text: str, target: Target) -> None:
    assert read(text, port="2022") == (target,)


@pytest.mark.parametrize("between", ["\n", ",", " ", " , ", "\r\n", ",\n"])
def test_several_hosts_stand_in_any_kind_of_list(between: str) -> None:
    assert [each.host for each in read(f"h1{between}h2{between}")] == ["h1", "h2"]


def test_the_default_user_is_needed_only_where_none_is_given() -> None:
    assert read("root@h1", user="")[0].user == "root"
    with pytest.raises(UserError, match="input `user`: is required for h2, but empty"):
        read("root@h1, h2", user="")


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("", "`host`: is required but empty"),
        ("-oProxyCommand=id", "not the name or address of a host"),
        ("h1;id", "not the name or address of a host"),
        ("$(id)", "not the name or address of a host"),
        ("h1`id`", "not the name or address of a host"),
        ("h1\x00", "not the name or address of a host"),
        ("h1\x1b", "not the name or address of a host"),
        ("fe80::1%eth0", "not the name or address of a host"),
        ("https://h1", "'//h1' is not a port"),
        ("h1:99999", "'99999' is not a port from 1 to 65535"),
        ("h1:ssh", "'ssh' is not a port"),
        ("-l@h1", "'-l' is not the name of a user"),
        ("a$b@h1", "is not the name of a user"),
        ("@h1", "has no user before the @"),
        ("[h1", "not the name or address of a host"),
        ("h1, root@H1", "h1 is listed twice"),
        ("h1:22,h1", "h1 is listed twice"),
    ],
)
def test_a_wrong_host_is_named(text: str, reported: str) -> None:
    with pytest.raises(UserError, match=reported):
        read(text)


def test_all_wrong_hosts_are_reported_at_once() -> None:
    with pytest.raises(UserError) as raised:
        read("a;b, c$d", user="x y", port="z")
    assert len(raised.value.problems) == 4


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (Target("h1", "deploy"), "h1"),
        (Target("h1", "deploy", 2222), "[h1]:2222"),
        (Target("::1", "deploy"), "::1"),
        (Target("::1", "deploy", 2222), "[::1]:2222"),
    ],
)
def test_the_name_in_known_hosts_has_the_port_if_it_is_another(target: Target, name: str) -> None:
    assert target.known_name == name
