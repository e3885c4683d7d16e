"""What an operator must say to turn something off or on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.switches.models import MtfSwitch
from apps.switches.store import FORMS, GLOBAL, InvalidSwitchKey, check_key

KEY_HELP = f"{GLOBAL} stops everything. Or: {', '.join(FORMS.values())}."


class SwitchForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A switch as it stands now (an expired OFF shows as on); a change carries a reason of its own."""

    class Meta:
        model = MtfSwitch
        fields = ("switch_key", "is_on", "reason", "expires_at")
        widgets = {"switch_key": UnfoldAdminTextInputWidget(), "reason": UnfoldAdminTextInputWidget()}

    unknown_target: Callable[[str], str | None] | None = None
    """What is wrong with the symbol or profile a key names, None when it exists: a misspelt key looks like
    safety and stops nothing. Other rooms know the names: apps/console/apps.py sets this."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["is_on"] = not self.instance.is_in_force
        elif "is_on" in self.fields:
            self.initial.setdefault("is_on", False)
        if "switch_key" in self.fields:
            self.fields["switch_key"].help_text = KEY_HELP

    def clean_switch_key(self) -> str:
        try:
            key = check_key(str(self.cleaned_data["switch_key"]).strip())
        except InvalidSwitchKey as fault:
            raise forms.ValidationError(str(fault)) from fault
        fault_of_target = None if self.unknown_target is None else self.unknown_target(key)
        if fault_of_target is not None:
            raise forms.ValidationError(fault_of_target)
        return key

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("reason", "").strip():
            self.add_error("reason", "Say why: the reason is kept with your name.")
        elif "is_on" in self.changed_data and self.instance.pk and "reason" not in self.changed_data:
            self.add_error("reason", "This is the old reason. Say why you change it now.")
        expires_at = cleaned.get("expires_at")
        if expires_at and not cleaned.get("is_on") and expires_at <= timezone.now():
            self.add_error("expires_at", "This has passed. An OFF ends in the future, or never by itself.")
        return cleaned


class ReasonForm(forms.Form):
    """The one question of a bulk change."""

    reason = forms.CharField(
        label="Why?",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
        help_text="Kept with your name in the operator actions, and shown wherever a symbol is refused.",
    )
