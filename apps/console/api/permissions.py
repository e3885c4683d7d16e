"""Reading needs a login; acting needs the permission the view names."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request


class MayAct(IsAuthenticated):
    """Closed by default: a view that acts and names no `acting` permission breaks instead of letting in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if request.method in SAFE_METHODS or request.method not in view.allowed_methods:
            return True
        return bool(request.user.has_perm(view.acting))
