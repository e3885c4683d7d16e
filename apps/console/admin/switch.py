"""The kill switches, as the desk knows more than their room: which symbols and profiles exist."""

from __future__ import annotations

from django import forms
from django.contrib import admin

from apps.insight.switch_targets import unknown_target
from apps.switches.admin import MtfSwitchAdmin
from apps.switches.forms import SwitchForm
from apps.switches.models import MtfSwitch

admin.site.unregister(MtfSwitch)


class KnownTargetForm(SwitchForm):
    """A new switch that would stop nothing is refused: a misspelt key looks like safety."""

    def clean_switch_key(self) -> str:
        key = super().clean_switch_key()
        unknown = unknown_target(key)
        if unknown is not None:
            raise forms.ValidationError(unknown)
        return key


@admin.register(MtfSwitch)
class DeskSwitchAdmin(MtfSwitchAdmin):
    form = KnownTargetForm
