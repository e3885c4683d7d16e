"""A model field stored as a native PostgreSQL enum; the type itself is made by this app's migration."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db import models


class EnumField(models.TextField):  # type: ignore[type-arg]  # Django's fields are generic in the stubs only
    """Text in Python, `type_name` in the database; `choices` come from the enum."""

    def __init__(self, *args: Any, type_name: str, enum: type[StrEnum] | None = None, **kwargs: Any) -> None:
        self.type_name = type_name
        if enum is not None:
            kwargs["choices"] = [(member.value, member.value) for member in enum]
        super().__init__(*args, **kwargs)

    def db_type(self, connection: Any) -> str:
        return self.type_name

    def cast_db_type(self, connection: Any) -> str:
        return "text"  # so that LIKE and ILIKE work in the admin's search

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"type_name": self.type_name}
