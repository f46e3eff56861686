"""The next page of a list, in all forms of the header Link."""

from __future__ import annotations

import contextlib

import pytest

from ship.images.registry.links import next_page

URL = "/v2/acme/app/tags/list"


@pytest.mark.parametrize(
    "header",
    [
        '</v2/acme/app/tags/list?last=b&n=9>; rel="next"',
        "</v2/acme/app/tags/list?last=b&n=9>; rel=next",
        "</v2/acme/app/tags/list?last=b&n=9>;rel=next",
        '</v2/acme/app/tags/list?last=b&n=9> ; REL = "Next"',
        '</v2/acme/app/tags/list?last=b&n=9>; rel="last next"',
        '</v2/acme/app/tags/list?last=b&n=9>; title="a, b; rel=prev"; rel=next',
        '</v2/acme/app/tags/list?last=b&n=9>; title="a \\" b"; rel=next',
        "</v2/acme/app/tags/list?last=b&n=9>; rel=next; crossorigin; rel=prev",
        '<list?n=9>; rel="first", </v2/acme/app/tags/list?last=b&n=9>; rel="next"',
        '</v2/acme/app/tags/list?last=b&n=9>; rel="next",</v2/acme/app/tags/list?n=9>; rel="first"',
        "</v2/acme/app/tags/list?last=b&n=9>",
        "<?last=b&n=9>; rel=next",
        "<list?last=b&n=9>; rel=next",
        "<../tags/list?last=b&n=9>; rel=next",
        "<https://ghcr.io/v2/acme/app/tags/list?last=b&n=9>; rel=next",
        "<https://ghcr.io:443/v2/acme/app/tags/list?last=b&n=9>; rel=next",
        "<//ghcr.io/v2/acme/app/tags/list?last=b&n=9>; rel=next",
        "<http://inner:5000/v2/acme/app/tags/list?last=b&n=9>; rel=next",
        "</behind/a/proxy/v2/acme/app/tags/list?last=b&n=9>; rel=next",
        "</v2/acme%2Fapp/tags/list?last=b&n=9>; rel=next",
    ],
)
def test_the_next_page_is_found(header: str) -> None:
    assert next_page(header, URL) == "last=b&n=9"


@pytest.mark.parametrize(
    "header",
    [
        "", " ", '<https://cdn.example.com>; rel="preconnect"',
        '</v2/acme/app/tags/list?n=9>; rel="first", </v2/acme/app/tags/list?n=8>; rel="prev last"',
        '</docs/next>; rel="help"; title="next"',
    ],
)  # fmt: skip
def test_without_a_next_page_this_is_the_last(header: str) -> None:
    assert next_page(header, URL) is None


@pytest.mark.parametrize(
    "header",
    [
        "</v2/other/tags/list?last=b>; rel=next",
        "</v2/acme/app2/tags/list?last=b>; rel=next",
        "</v2/acme/app/tags/list>; rel=next",
        "<https://elsewhere.example.com/page/2?last=b>; rel=next",
        "<http://[bad?last=b>; rel=next",
        "</v2/_catalog?last=b>; rel=next",
        '/v2/acme/app/tags/list?last=b; rel="next"',
        '<</v2/acme/app/tags/list?last=b>>; rel="next"',
        '</v2/acme/app/tags/list?last=b; rel="next"',
        "next",
    ],
)
def test_a_link_that_cannot_be_followed_is_not_taken_for_the_end(header: str) -> None:
    with pytest.raises(ValueError, match=r"its (header|next page) |Invalid"):
        next_page(header, URL)


def test_what_may_not_stand_in_a_request_is_escaped() -> None:
    header = "<?last=a b%20é&next_page=x+y==>; rel=next"
    assert next_page(header, URL) == "last=a%20b%20%C3%A9&next_page=x+y=="


@pytest.mark.parametrize("part", ["<", "<a>", ";", "<a>; ", '<a>; rel="', " ", "<a>;x=", '\\"'])
def test_a_long_header_is_read_in_a_moment(part: str) -> None:
    with_many = part * (60_000 // len(part))
    with contextlib.suppress(ValueError):
        next_page(with_many, URL)
