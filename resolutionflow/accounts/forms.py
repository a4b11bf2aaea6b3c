"""What people type about people. Each error names its field and keeps the text."""

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordMixin

from resolutionflow.accounts import oidc
from resolutionflow.accounts.models import RANK, IdentityProvider, User
from resolutionflow.accounts.outside import Unreachable


class RoleForm(forms.Form):
    """Offers the roles that whoever asks may give."""

    role = forms.ChoiceField(label="Role")

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(role.value, role.label) for role in User.Role if by.may_grant(role)]
        self.fields["role"] = forms.ChoiceField(label="Role", choices=offered, initial=User.Role.ENGINEER)


class InviteForm(RoleForm):
    email = forms.EmailField(label="E-mail address", max_length=254)
    field_order = ["email", "role"]

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip().lower()


class NameForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none at run time
    """What colleagues call somebody."""

    class Meta:
        model = User
        fields = ["name"]
        labels = {"name": "Your name"}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())


class AcceptForm(SetPasswordMixin, forms.Form):  # type: ignore[type-arg]  # takes none at run time
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


class ProviderForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none at run time
    """An account's identity provider. Its secret is written, never shown; turned on, it is asked who it is."""

    issuer = forms.URLField(label="Issuer", max_length=300, assume_scheme="https")
    client_secret = forms.CharField(
        label="Client secret", max_length=500, required=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )

    class Meta:
        model = IdentityProvider
        fields = ["name", "issuer", "client_id", "client_secret", "domains", "enabled"]
        labels = {
            "name": "Its name, as people know it",
            "issuer": "Issuer",
            "client_id": "Client id",
            "domains": "E-mail domains, separated by spaces",
            "enabled": "People may sign in with it",
        }

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by

    def clean_domains(self) -> str:
        domains = str(self.cleaned_data["domains"]).lower().replace(",", " ").split()
        if not domains or any("@" in each or "." not in each for each in domains):
            raise forms.ValidationError("Name at least one, such as example.com.")
        return " ".join(domains)

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.reach and RANK[self.instance.reach] > RANK[self.by.role]:
            raise forms.ValidationError("Somebody who may more than you set this up; only they can change it.")
        moved = self.instance.sealed_secret and "issuer" in self.changed_data
        if not told.get("client_secret") and (moved or not self.instance.sealed_secret):
            self.add_error("client_secret", "The provider gives you one for this installation.")
        if told.get("enabled") and told.get("issuer") and not self.errors:
            try:
                oidc.discover(told["issuer"])
            except Unreachable as error:
                self.add_error("issuer", str(error))
        return told

    def save(self, commit: bool = True) -> IdentityProvider:
        if plain := self.cleaned_data["client_secret"]:
            self.instance.sealed_secret = oidc.seal_secret(plain)
        self.instance.reach = self.by.role
        provider: IdentityProvider = super().save(commit)
        return provider
