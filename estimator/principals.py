"""Who acts: users, applications, and the system's own accounts, told apart by their names alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

Actor = Literal["user", "application", "system"]

#: UPN-shaped: `app@sharepoint` has an @ and is nobody.
_USER = re.compile(r"[^@\s\\#]+@[^@\s]+\.[^@\s]+")
_APPLICATION = re.compile(r"(serviceprincipal_|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$)")
_SYSTEM = re.compile(r"nt authority\\|app@sharepoint$|s-1-5-\d")

#: What a search for some users, or by an administrator scoped to some, does not bring; continues "what ...".
OUTSIDE_SCOPES = "system or application principals did, which searches for some users leave out"


def actor(principal: str) -> Actor:
    """What a principal is by its name; names that are neither a user's nor an application's are the system's."""
    name = principal.lower()
    if _APPLICATION.match(name):
        return "application"
    return "user" if _USER.fullmatch(name) else "system"


def outside_scopes(principal: str) -> bool:
    """Whether a search for some users does not bring what the principal does (audit_events.md §5).

    Narrower than `actor`: a name that is merely odd (`Not Available`, a guest's) proves nothing.
    """
    name = principal.lower()
    return bool(_SYSTEM.match(name) or _APPLICATION.match(name))


def is_person(principals: pd.Series) -> pd.Series:
    """Whether each principal is a user: UPN-shaped, and not one of Microsoft's own (`app@sharepoint`)."""
    person = {name: actor(name) == "user" for name in principals.unique()}
    return principals.map(person).astype(bool)
