"""Reading the Azure Retail Prices API over the network: page after page, from one host, and politely.

httpx is an extra (`siem-estimator[live]`); it is imported when it is needed. Nothing is sent but the address: the API
asks for no sign-in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pricing.refresh import RefreshError, next_page

if TYPE_CHECKING:
    import httpx

_TRIES = 4
_LONGEST_WAIT = 60.0
_TIMEOUT = 30.0
_MOST_PAGES = 50
_MOST_BYTES = 20_000_000
_OFFLINE = "See that this machine reaches prices.azure.com, or hand in saved responses with --response FILE."


def fetch(
    addresses: Iterable[str], client: httpx.Client | None = None, sleep: Callable[[float], None] = time.sleep
) -> Iterator[tuple[str, str]]:
    """(address, text) of every page, of each address from its first page on.

    Args:
        addresses: of the first pages.
        client: what to read with; it is closed in the end. None: one of its own, which follows no redirect.
        sleep: how to wait between tries.

    Raises:
        RefreshError: httpx is not installed, the API cannot be reached or refuses, a page leads to another host, or
            there is no end of pages.
    """
    try:
        import httpx
    except ImportError:
        raise RefreshError(
            "reading live prices needs httpx, which is not installed",
            mend="pip install 'siem-estimator[live]', or hand in saved responses with --response FILE.",
        ) from None
    with client or httpx.Client(timeout=_TIMEOUT, follow_redirects=False) as http:
        for address in addresses:
            yield from _pages(http, address, sleep)


def _pages(http: httpx.Client, address: str, sleep: Callable[[float], None]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    here: str | None = address
    while here is not None:
        if here in seen or len(seen) >= _MOST_PAGES:
            raise RefreshError(f"no end after {len(seen)} pages", path=here, expected=f"at most {_MOST_PAGES}")
        seen.add(here)
        text = _get(http, here, sleep)
        yield here, text
        link = next_page(text, here)
        if link is not None and not _same_place(link, address):
            raise RefreshError(
                f"NextPageLink leads to '{link[:120]}'", path=here, place="NextPageLink",
                expected=f"the host it was read from, {urlsplit(address).netloc}, over {urlsplit(address).scheme}",
                mend="Nothing was read from there and nothing is written.",
            )  # fmt: skip
        here = link


def _same_place(link: str, address: str) -> bool:
    """Whether a link stays where the first page came from: scheme, host and port alike, and no name or password."""
    try:
        to, of = urlsplit(link), urlsplit(address)
        ports = {"https": 443, "http": 80}
        alike = (to.scheme, to.hostname, to.port or ports.get(to.scheme)) == (
            of.scheme, of.hostname, of.port or ports.get(of.scheme),
        )  # fmt: skip
    except ValueError:
        return False
    return alike and "@" not in to.netloc and "\\" not in link


def _get(http: httpx.Client, address: str, sleep: Callable[[float], None]) -> str:
    import httpx

    said = ""
    for attempt in range(_TRIES):
        wait = float(2**attempt)
        try:
            response = http.get(address, headers={"Accept": "application/json"})
        except httpx.HTTPError as error:
            said = f"cannot be reached ({type(error).__name__})"
        else:
            if response.status_code == 200:
                if len(response.content) > _MOST_BYTES:
                    raise RefreshError(
                        f"{len(response.content):,} bytes", path=address, expected=f"at most {_MOST_BYTES:,}"
                    )
                return str(response.text)
            said = f"answered {response.status_code}"
            if response.status_code != 429 and response.status_code < 500:
                raise RefreshError(
                    said, path=address, expected="200",
                    mend="A redirect is not followed." if response.is_redirect else _OFFLINE,
                )  # fmt: skip
            wait = _asked_for(response.headers.get("Retry-After"), response.headers.get("Date"), wait)
        if attempt + 1 < _TRIES:
            sleep(min(wait, _LONGEST_WAIT))
    raise RefreshError(f"{said}, {_TRIES} times", path=address, expected="a page of prices", mend=_OFFLINE)


def _asked_for(header: str | None, answered: str | None, otherwise: float) -> float:
    """Seconds to wait as Retry-After has them, a number or a date (RFC 9110); else the back-off.

    A date is counted from the Date of the same answer: both are the server's clock, and ours may be wrong. Without one
    the date says nothing.
    """
    if not header:
        return otherwise
    try:
        if header.strip().isdigit():
            return float(header)
        if not answered:
            return otherwise
        return max(0.0, (parsedate_to_datetime(header) - parsedate_to_datetime(answered)).total_seconds())
    except (TypeError, ValueError):
        return otherwise
