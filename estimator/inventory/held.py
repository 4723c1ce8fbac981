"""What a licence file says, user by user, before it becomes a table."""

from __future__ import annotations

from itertools import chain, compress

import pandas as pd


class Held:
    """What a file says, statement by statement: a user and some or all of the user's licences, ('',) for none.

    Lists of plain texts instead of an object a row, for the sake of tenants of a hundred thousand users.
    """

    def __init__(self) -> None:
        self.users: list[str] = []
        self.skus: list[tuple[str, ...]] = []
        self.disabled: list[tuple[str, ...]] = []
        self.plans: list[tuple[str, ...]] = []
        #: Whether each statement means to be all there is; else users may stand in several, as in one row a licence.
        self.whole = False

    def add(
        self, user: str, skus: tuple[str, ...], disabled: tuple[str, ...] = (), plans: tuple[str, ...] = ()
    ) -> None:
        """One statement; `disabled` and `plans` go with `skus` one by one, or are () where nothing is told of any."""
        skus = skus or ("",)
        blanks = ("",) * len(skus)
        self.users.append(user)
        self.skus.append(skus)
        self.disabled.append(disabled or blanks)
        self.plans.append(plans or blanks)

    def table(self) -> pd.DataFrame:
        """One row per licence, as `read_licences` gives them; licences of nobody are left out."""
        kept = [bool(user) for user in self.users]
        users = [user for user, skus in zip(self.users, self.skus, strict=True) if user for _ in skus]
        columns = {
            name: list(chain.from_iterable(compress(cells, kept)))
            for name, cells in (("sku", self.skus), ("disabled", self.disabled), ("plans", self.plans))
        }
        return pd.DataFrame({"mailbox": users} | columns, dtype="str")

    def nobodys(self) -> int:
        """How many licences are assigned to no user."""
        return sum(sum(map(bool, skus)) or 1 for user, skus in zip(self.users, self.skus, strict=True) if not user)

    def contradicted(self) -> int:
        """How many users stand in the file more than once with other licences, where that is no way to list them."""
        if len(set(self.users)) == len(self.users):
            return 0
        found: dict[str, set[tuple[str, ...]]] = {}
        for user, skus in zip(self.users, self.skus, strict=True):
            found.setdefault(user, set()).add(tuple(sorted(skus)))
        whole = self.whole or any(len(skus) > 1 for skus in self.skus)
        return sum(bool(user) and len(sets) > 1 and (whole or ("",) in sets) for user, sets in found.items())
