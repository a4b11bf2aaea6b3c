"""The account, its people and their API tokens."""

import zoneinfo
from collections.abc import Sequence
from typing import Any

from allauth.account.admin import EmailAddress
from allauth.mfa.admin import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth import admin as auth
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import Field, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from escalations.actions.refusals import Refusal
from escalations.live.people import rights_changed
from resolutionflow.accounts import people, token_changes
from resolutionflow.accounts.models import Account, ApiToken, User
from resolutionflow.admin_site import OwnedAdmin

admin.site.unregister(Group)  # rights come from the role
for unused in (Authenticator, EmailAddress):  # nobody's second factor is anybody else's to see
    admin.site.unregister(unused)


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none at run time
    """An account. Who says nothing about AI leaves it as it is."""

    ai = forms.ChoiceField(label="AI", choices=Account.AI.choices, required=False)

    def clean_ai(self) -> str:
        return str(self.cleaned_data["ai"] or self.instance.ai)


@admin.register(Account)
class AccountAdmin(OwnedAdmin[Account]):
    form = AccountForm
    trail_kind = "settings_changed"
    account_path = "pk"
    list_display = ["name", "slug", "time_zone", "created_at"]
    search_fields = ["name", "slug"]
    ordering = ["name"]
    fields = [
        "name",
        "slug",
        "time_zone",
        "ai",
        "model_calls_per_day",
        "model_tokens_per_day",
        "keep_days",
        "lease_minutes",
        "ticket_url_template",
        "created_at",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return self.admin_site.has_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> list[str]:
        """The operator pays for models, so the operator says how much."""
        paid = ["model_calls_per_day", "model_tokens_per_day"]
        return ["created_at"] if request.user.is_superuser else ["slug", *paid, "created_at"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Account | None = None) -> dict[str, Sequence[str]]:
        return {} if obj else {"slug": ["name"]}

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "time_zone":
            zones = sorted(zoneinfo.available_timezones())
            kwargs["widget"] = forms.Select(choices=[(zone, zone) for zone in zones])
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none at run time
    """A person as somebody of the operator's or of the account's changes them."""

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        before = User.objects.get(pk=self.instance.pk)
        role, is_active = told.get("role", before.role), told.get("is_active", before.is_active)
        try:
            if before.is_active and before.role == User.Role.OWNER:
                people.keep_an_owner(before, role=role, is_active=is_active)
        except Refusal as refusal:
            raise forms.ValidationError(str(refusal)) from None
        return told

    def clean_is_superuser(self) -> bool:
        """The database says so, too; a form that leaves the account out would not hear it in time."""
        operator = bool(self.cleaned_data["is_superuser"])
        if not operator and self.instance.account_id is None:
            raise forms.ValidationError("Everybody but a superuser belongs to an account.")
        return operator


class NewPersonForm(BaseUserCreationForm):  # type: ignore[type-arg]  # takes none at run time
    """A new person with a first password. The operator says which account; an admin's people join the admin's own."""

    class Meta:
        model = User
        fields = ["email", "name", "role"]

    def clean_account(self) -> Account:
        account: Account | None = self.cleaned_data["account"]
        if account is None:
            raise forms.ValidationError("Say which account. (Operators are made with `manage.py createsuperuser`.)")
        return account


@admin.register(User)
class PersonAdmin(OwnedAdmin[User], auth.UserAdmin):  # type: ignore[type-arg]  # takes none at run time
    """People are switched off, never deleted: history keeps their names. Nobody changes accounts."""

    form = PersonForm
    trail_kind = "person_changed"
    add_form = NewPersonForm
    add_form_template = None
    list_display = ["name", "email", "role", "is_active", "last_login"]
    list_filter = ["role", "is_active"]
    search_fields = ["name", "email"]
    ordering = ["name"]
    filter_horizontal = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """An operator who belongs to an account is out of its admins' reach: a new password would be a promotion."""
        may = self.admin_site.has_permission(request)
        return may and (request.user.is_superuser or obj is None or not obj.is_superuser)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        account = ["account"] if request.user.is_superuser else []
        if obj is None:
            return [(None, {"fields": ["email", "name", "role", *account, "password1", "password2"]})]
        operator = ["is_superuser"] if request.user.is_superuser else []
        person = ["email", "name", "role", "is_active", *operator, *account]
        return [(None, {"fields": [*person, "sign_in", "last_login", "created_at"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        if obj is None:
            return []
        own = ["role", "is_active", "is_superuser"] if obj == request.user else []  # nobody locks themselves out
        return ["account", "sign_in", "last_login", "created_at", *own]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change and request.user.is_authenticated and not request.user.is_superuser:
            obj.account = request.user.account
        super().save_model(request, obj, form, change)
        if change and not obj.may_work and request.user.is_authenticated:
            people.hand_back(obj, by=request.user)  # what a switched-off person or a viewer had in hand

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> LogEntry:
        """Whatever is noted as a change (a field, the password) is felt at once by what the person has open."""
        rights_changed(obj.pk)
        return super().log_change(request, obj, message)

    @admin.display(description="password")
    def sign_in(self, person: User) -> SafeString:
        address = reverse("admin:auth_user_password_change", args=[person.pk])
        return format_html('<a href="{}">Set a new password</a>', address)


@admin.register(ApiToken)
class ApiTokenAdmin(OwnedAdmin[ApiToken]):
    """Tokens are made by their people (or with `manage.py api_token`), and can only be revoked here."""

    account_path = "user__account"
    trail_kind = "token_revoked"
    list_display = ["prefix", "name", "user", "scopes", "last_used_at", "expires_at", "revoked_at"]
    list_filter = ["created_at", "expires_at", "revoked_at"]
    list_select_related = ["user"]
    search_fields = ["prefix", "name", "user__name", "user__email"]
    ordering = ["-created_at"]
    fields = ["prefix", "name", "user", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at"]
    actions = ["revoke"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        return super().get_queryset(request).defer("digest")

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        revoked = [token for token in tokens if self._revoke(request, token)]
        self.message_user(request, f"Revoked: {len(revoked)}. They are refused from now on.", messages.SUCCESS)

    def _revoke(self, request: HttpRequest, token: ApiToken) -> bool:
        """False if somebody did so before; the first time stays."""
        revoked = token_changes.revoke(token)
        if revoked:
            self.log_change(request, token, "Revoked.")
        return revoked
