"""What people type about people. Each error names its field and keeps the text."""

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordMixin

from resolutionflow.accounts.models import User


class RoleForm(forms.Form):
    """Offers the roles that whoever asks may give."""

    role = forms.ChoiceField(label="Role")

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(role.value, role.label) for role in User.Role if by.may_grant(role)]
        self.fields["role"] = forms.ChoiceField(label="Role", choices=offered)


class InviteForm(RoleForm):
    email = forms.EmailField(label="E-mail address", max_length=254)
    field_order = ["email", "role"]

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip().lower()


class AcceptForm(SetPasswordMixin, forms.Form):  # type: ignore[misc]  # takes the user from its caller
    name = forms.CharField(label="Your name", max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password1, password2 = SetPasswordMixin.create_password_fields("Password", "The same password again")

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        self.validate_passwords()
        self.validate_password_for_user(User(email=self.email, name=told.get("name", "")))
        return told
