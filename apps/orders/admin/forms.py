"""What a reviewer must say to reject a plan."""

from __future__ import annotations

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget


class RejectForm(forms.Form):
    reason = forms.CharField(
        label="Why?",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
        help_text="Kept with your name on the plan and in the operator actions.",
    )
