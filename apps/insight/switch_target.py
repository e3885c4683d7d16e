"""Whether a kill switch names something that exists: one that is misspelt stops nothing."""

from __future__ import annotations

from django.conf import settings

from apps.engine.values.errors import suggestion
from apps.market import store as market
from apps.profiles import files
from apps.switches.store import check_key


def unknown_target(key: str) -> str | None:
    """Return what is wrong with the symbol or profile a switch is to stop; None when it is known.

    Raises InvalidSwitchKey for a key of no known form. Every symbol passes until contracts are stored.
    """
    kind, _, name = check_key(key).partition(":")
    if kind == "PROFILE":
        known = files.profile_names(settings.MTF_PROFILES_DIR)
    elif kind in ("SYMBOL", "SYMBOL_TF"):
        name = name.rpartition(":")[0] if kind == "SYMBOL_TF" else name
        known = [contract.symbol for contract in market.contracts()]
    else:
        return None
    if not known or name in known:
        return None
    what = "profile" if kind == "PROFILE" else "symbol"
    return f"unknown {what} {name!r}{suggestion(name, known)}: a switch of this key would stop nothing"
