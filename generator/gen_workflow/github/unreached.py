"""Why an answer is not GitHub's, or why none came: the network, a proxy, or a wrong address."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

import requests

from gen_workflow.errors import GenWorkflowError, Heading, UserError

_AGAIN = "then run the command again"
_NETWORK = f"check the network, the proxy and GITHUB_API_URL; {_AGAIN}"
_SYSTEM = "SSL_CERT_FILE"  # what OpenSSL and most other programs read
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", _SYSTEM)
_TRUST = "set REQUESTS_CA_BUNDLE to a file with the certificate of the authority that signed it"
# Of what came: what has answered, and the next act. The first that fits is reported.
_ANSWERED = (
    (
        r"redirect",
        "the address is not the one of the API, or somebody has to log in first",
        "give the address that answers itself, with --api-url or GITHUB_API_URL",
    ),
    (
        r"status 407",
        "the proxy wants a login",
        "put user and password into HTTPS_PROXY, as in http://USER:PASSWORD@HOST:PORT",
    ),
    (
        r"web page",
        "a proxy, a firewall or a login page has answered in place of GitHub",
        f"open the address in a browser on this machine, and check HTTPS_PROXY; {_AGAIN}",
    ),
    (
        r"cut off",
        "the answer was damaged on its way",
        f"run the command again; if it comes back, {_NETWORK.partition(';')[0]}",
    ),
    (
        r"",
        "another server or a proxy has answered in place of GitHub",
        _NETWORK,
    ),
)
# Of the error of a connection: the cause.
_NOT_IN_TIME = "it did not answer in time"
_ENDED = "the connection ended before the answer was complete"
_MAY_PASS = (_NOT_IN_TIME, _ENDED)
_LOST = (
    (r"did not answer in time", _NOT_IN_TIME),
    (r"resolve|getaddrinfo|Name or service", "its name is not known"),
    (
        r"BadStatusLine|LineTooLong|more than 100 headers|Invalid(Header|Chunk)|Content-Length",
        "what answers there does not speak HTTP",
    ),
    (r"IncompleteRead|aborted|reset|prematurely|decod", _ENDED),
    (r"", "no connection"),
)
_TLS = (
    (
        r"NO_CERTIFICATE_OR_CRL_FOUND|PEM|\[X509",
        "{bundle} holds no certificates",
        "name a file of certificates in PEM form, or unset the variable",
    ),
    (
        r"Hostname mismatch|doesn't match|IP address mismatch",
        "its certificate is for another name",
        f"check the address; {_NETWORK}",
    ),
    (r"has expired", "its certificate has expired", f"check the clock of this machine; {_NETWORK}"),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        "its certificate is not trusted",
        f"{_TRUST}, such as the one of your company's proxy",
    ),
    (r"", "it does not speak TLS as GitHub does", f"check the port and the proxy; {_NETWORK}"),
)


class Lost(GenWorkflowError):  # noqa: N818 - named after what happened
    """A connection that ended before the answer: the request may have been carried out."""


def not_github(api: str, doing: str, came: str) -> GenWorkflowError:
    """Return the error for an answer that GitHub does not give; `came` is the answer in words."""
    cause, hint = next((why, act) for seen, why, act in _ANSWERED if re.search(seen, came))
    parts = urlsplit(api)
    if not re.fullmatch(r"api\..+", parts.hostname or "") and not parts.path.endswith("/api/v3"):
        hint = (
            "the API of a GitHub Enterprise Server is at https://HOST/api/v3: give that with"
            f" --api-url or GITHUB_API_URL; else {hint}"
        )
    what = f"cannot {doing}: it answered with {came}; {cause}"
    anchor = Heading.PROXY if "status 407" in came else Heading.FOREIGN
    return UserError(what, where=api, hint=hint, anchor=anchor)


def own_authorities() -> str:
    """Return the file of certificates that SSL_CERT_FILE names; empty where requests has its own.

    requests reads the two other variables by itself, and not this one.
    """
    named = any(os.environ.get(name) for name in _BUNDLES[:2])
    return "" if named else os.environ.get(_SYSTEM, "")


def unreachable(error: OSError, api: str) -> GenWorkflowError:
    """Return the error for a GitHub that does not answer at all."""
    said = f"{error}"
    if isinstance(error, requests.exceptions.SSLError):
        return _no_tls(said, api)
    if isinstance(error, (requests.exceptions.ProxyError, requests.exceptions.InvalidURL)):
        return _no_proxy(said, api)  # our own address was looked at before
    if isinstance(error, requests.exceptions.InvalidSchema):
        what = f"cannot be reached: the proxy {_proxy(api)} is of a kind that is not supported"
        hint = "set HTTPS_PROXY to an http:// address"
        return UserError(what, where=api, hint=hint, anchor=Heading.PROXY)
    if not isinstance(error, requests.RequestException):
        return _no_bundle(api)
    if isinstance(error, requests.Timeout):
        said = "did not answer in time"
    cause = next(why for seen, why in _LOST if re.search(seen, said))
    what = f"cannot be reached: {cause}"
    kind = Lost if cause in _MAY_PASS else GenWorkflowError
    return kind(what, where=api, hint=_NETWORK, anchor=Heading.NOT_REACHED)


def _no_tls(said: str, api: str) -> GenWorkflowError:
    cause, hint = next((why, act) for seen, why, act in _TLS if re.search(seen, said))
    what = f"cannot be reached: {cause.format(bundle=_bundle())}"
    return UserError(what, where=api, hint=hint, anchor=Heading.CERTIFICATE)


def _no_bundle(api: str) -> GenWorkflowError:
    what = f"cannot be reached: the file of certificates that {_bundle()} names cannot be read"
    hint = "correct the variable, or unset it"
    return UserError(what, where=api, hint=hint, anchor=Heading.CERTIFICATE)


def _bundle() -> str:
    """Return the variable that names the file of certificates, and its value."""
    named = next(((name, os.environ[name]) for name in _BUNDLES if os.environ.get(name)), None)
    return f"{named[0]}={named[1]}" if named else "the file of certificates of `certifi`"


def _no_proxy(said: str, api: str) -> GenWorkflowError:
    answered = re.search(r"Tunnel connection failed: (\d{3}[^'\")]*)", said)
    cause = f"answered {answered[1].strip()}" if answered else "does not answer"
    hint = f"correct HTTPS_PROXY, or put the host into NO_PROXY; {_AGAIN}"
    if answered and answered[1].startswith("407"):
        hint = _ANSWERED[1][2]
    what = f"cannot be reached: the proxy {_proxy(api)} {cause}"
    return UserError(what, where=api, hint=hint, anchor=Heading.PROXY)


def _proxy(api: str) -> str:
    """Return the proxy of an address without its login."""
    proxies = requests.utils.get_environ_proxies(api)
    found = requests.utils.select_proxy(api, proxies) or ""
    return found.rpartition("@")[2] or "of this machine"
