"""A model field stored as a native PostgreSQL enum; the type itself is made by this app's migration."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models


class EnumField(models.TextField):  # type: ignore[type-arg]  # Django's fields are generic in the stubs only
    """A member of `enum` in Python, `type_name` in the database; `choices` come from the enum.

    A migration knows no enum: there its values stay text.
    """

    def __init__(self, *args: Any, type_name: str, enum: type[StrEnum] | None = None, **kwargs: Any) -> None:
        self.type_name = type_name
        self.enum = enum
        if enum is not None:
            kwargs["choices"] = [(member.value, member.value) for member in enum]
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return value if value is None or self.enum is None else self.enum(value)

    def to_python(self, value: Any) -> Any:
        """Return the member called `value`. ValidationError for a text that is none."""
        if value is None or self.enum is None:
            return value
        try:
            return self.enum(value)
        except ValueError as fault:
            message = self.error_messages["invalid_choice"]
            raise ValidationError(message, code="invalid_choice", params={"value": value}) from fault

    def get_prep_value(self, value: Any) -> Any:
        """Return the text itself, unchecked: an unknown one is the database's to refuse."""
        return str(value) if isinstance(value, str) else models.Field.get_prep_value(self, value)

    def db_type(self, connection: Any) -> str:
        return self.type_name

    def cast_db_type(self, connection: Any) -> str:
        return "text"  # so that LIKE and ILIKE work in the admin's search

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"type_name": self.type_name}
