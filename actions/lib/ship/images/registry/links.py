"""The next page of a list, from the header Link: https://www.rfc-editor.org/rfc/rfc8288#section-3."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urljoin, urlsplit

# A link, and a parameter of it whose value may be in quotes.
_LINK = re.compile(
    r'<([^<>]*)>((?:\s*;\s*[^\s=;,"<>]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"<>]+))?)*)'
)
_AS_IT_IS = "%!$&'()*+,;=:@/?-._~"
_PARAMETER = re.compile(r';\s*([^\s=;,"<>]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"<>]+)))?')


def next_page(header: str, url: str) -> str | None:
    """Return the query of the next page of a list that is at `url`; None where this is the last.

    The page is to be asked for at `url`, whatever host is named: behind a proxy a registry may name
    itself by an inner name. Raises ValueError, with the reason in words, for a link that does not
    lead to the same list, and for a header that is none.
    """
    if _LINK.sub("", header).strip(" \t,"):
        raise ValueError("its header `Link` cannot be read")
    targets = [target for target, found in _LINK.findall(header) if "next" in _relations(found)]
    if not targets:
        return None
    there, here = urlsplit(urljoin(url, targets[0])), urlsplit(url)
    if not there.query or not unquote(there.path).endswith(unquote(here.path)):
        raise ValueError("its next page is another list")
    # A blank or a letter outside ASCII may not stand in a request.
    return quote(there.query, safe=_AS_IT_IS)


def _relations(parameters: str) -> list[str]:
    """Return the words of the first `rel` of a link, which alone counts.

    A link without any is taken for the next page: it is not known to be another.
    """
    for name, quoted, plain in _PARAMETER.findall(parameters):
        if name.lower() == "rel":
            words: str = quoted or plain
            return words.lower().split()
    return ["next"]
