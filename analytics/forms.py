"""What owners type on the page of figures."""

from typing import Any

from django import forms

from analytics.models import LONGEST_PHONE_SECONDS, NOTE_LENGTH

HOURS = LONGEST_PHONE_SECONDS // 3600


def _number(most: int, *, unit: str) -> forms.IntegerField:
    words = f"a whole number from 0 to {most}"
    told = dict.fromkeys(("required", "invalid", "min_value", "max_value"), words)
    widget = forms.NumberInput(attrs={"inputmode": "numeric", "data-stopwatch-fills": unit})
    return forms.IntegerField(min_value=0, max_value=most, initial=0, error_messages=told, widget=widget)


class PhoneForm(forms.Form):
    """A measured hand-off by phone: between one second and four hours."""

    minutes = _number(HOURS * 60, unit="minutes")
    seconds = _number(59, unit="seconds")
    note = forms.CharField(max_length=NOTE_LENGTH, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "phone-%s"} | kwargs)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if not self.errors:
            cleaned["total"] = 60 * cleaned["minutes"] + cleaned["seconds"]
            if not 1 <= cleaned["total"] <= LONGEST_PHONE_SECONDS:
                raise forms.ValidationError(f"A sample lasts between 1 second and {HOURS} hours.")
        return cleaned
