"""Account (the tenant), User (with a role in it) and ApiToken."""

import hashlib
import secrets
import uuid
import zoneinfo
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Generic, Self, TypeVar

import pgtrigger
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils import timezone

from resolutionflow import walls
from resolutionflow.accounts.ticket_links import TEMPLATE_LENGTH, validate_template


def validate_time_zone(name: str) -> None:
    """Accept IANA names such as Europe/Berlin."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"“{name}” is no IANA time zone, such as Europe/Berlin.")


class Account(models.Model):
    """One support team. Everybody but a superuser belongs to exactly one."""

    class AI(models.TextChoices):
        INSTALLATION = "installation", "As this installation is set up"
        PLAYBOOK = "playbook", "Playbook only: nothing leaves this installation"
        NONE = "none", "No AI: no assessments, no answers by FlowPilot"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    ai = models.CharField("AI", max_length=12, choices=AI, default=AI.INSTALLATION, db_default="installation")
    model_calls_per_day = models.PositiveIntegerField(
        null=True, blank=True, help_text="Questions to a model a day. Empty: as this installation is set up."
    )
    model_tokens_per_day = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Tokens, read and written, a day. Empty: as this installation is set up."
    )
    keep_days = models.PositiveIntegerField(
        "days to keep closed sessions",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(36_500)],
        help_text="Older ones are removed every night and cannot be brought back. Empty: they are kept for ever.",
    )
    lease_minutes = models.PositiveSmallIntegerField(
        "minutes to begin after a pick-up",
        null=True,
        blank=True,
        default=10,
        db_default=10,
        validators=[MinValueValidator(1), MaxValueValidator(1440)],
        help_text="Whoever picks up and does nothing for so long gives it back. Empty: it stays with them.",
    )
    ticket_url_template = models.CharField(
        "address of a ticket",
        max_length=TEMPLATE_LENGTH,
        blank=True,
        default="",
        db_default="",
        validators=[validate_template],
        help_text="An address with {ticket} or {number} in it. Empty: references are no links.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ai__in=["installation", "playbook", "none"]), name="account_ai_known"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def tz(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def lease(self) -> timedelta | None:
        """How long a pick-up may last without an action; None: as long as it likes."""
        return timedelta(minutes=self.lease_minutes) if self.lease_minutes else None


M = TypeVar("M", bound=models.Model, covariant=True)


class OwnedQuerySet(models.QuerySet[M], Generic[M]):
    """Rows that belong to an account. Doors find them through it, so a stranger's row is a 404."""

    account_path = "account"

    def for_account(self, account: Account | None) -> Self:
        """The account's rows; none for somebody without an account."""
        if account is None:
            return self.none()
        return self.filter(**{self.account_path: account})


class UserManager(BaseUserManager["User"]):
    """Creates people; Django's own commands and its sign-in call these."""

    def get_queryset(self) -> OwnedQuerySet["User"]:
        return OwnedQuerySet(self.model, using=self._db)

    def for_account(self, account: Account | None) -> OwnedQuerySet["User"]:
        return self.get_queryset().for_account(account)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Whom an e-mail address signs in: the one look before anybody knows the account."""
        with walls.everywhere():
            return self.get(email=(username or "").lower())

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_superuser=True, **fields)


# Rows of the account that somebody has left go on naming them, and row security lets it read the name (walls/).
REMEMBERS_ACCOUNTS = """
    NEW.former_accounts = OLD.former_accounts;
    IF OLD.account_id IS NOT NULL AND NEW.account_id IS DISTINCT FROM OLD.account_id THEN
        NEW.former_accounts = array_append(array_remove(OLD.former_accounts, OLD.account_id), OLD.account_id);
    END IF;
    RETURN NEW;
"""


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The e-mail address signs in; the role says what they may do in their account."""

    class Role(models.TextChoices):
        VIEWER = "viewer", "Viewer"
        ENGINEER = "engineer", "Engineer"
        OWNER = "owner", "Owner"
        ADMIN = "admin", "Admin"

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="users", null=True, blank=True)
    email = models.EmailField(max_length=254, unique=True, error_messages={"unique": "This e-mail address is taken."})
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=10, choices=Role, default=Role.ENGINEER)
    is_active = models.BooleanField(default=True, help_text="Switch off instead of deleting: history keeps its names.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    former_accounts = ArrayField(models.UUIDField(), default=list, db_default=[], editable=False)

    objects = UserManager()

    class Meta:
        ordering = ["name"]
        triggers = [
            pgtrigger.Trigger(
                name="remembers_accounts",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func=REMEMBERS_ACCOUNTS,
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")),
                name="user_email_lower_case",
                violation_error_message="Write the e-mail address in lower case.",
            ),
            models.CheckConstraint(
                condition=models.Q(account__isnull=False) | models.Q(is_superuser=True),
                name="user_belongs_to_an_account",
                violation_error_message="Everybody but a superuser belongs to an account.",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["viewer", "engineer", "owner", "admin"]), name="user_role_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.email = self.email.strip().lower()

    def get_short_name(self) -> str:
        return self.name.split()[0] if self.name else self.email

    @property
    def initials(self) -> str:
        words = self.name.split() or [self.email]
        return (words[0][:2] if len(words) == 1 else words[0][0] + words[-1][0]).upper()

    # Who may what (the roles' table in docs/people.md)

    @property
    def may_work(self) -> bool:
        """Work sessions, escalate, pick up, release, resolve."""
        return self.is_active and self.account_id is not None and self.role != self.Role.VIEWER

    @property
    def may_see_analytics(self) -> bool:
        return self.is_active and self.account_id is not None and self.role in {self.Role.OWNER, self.Role.ADMIN}

    @property
    def may_manage_people(self) -> bool:
        """Invite, change roles, switch people off, say where the account's people may sign in."""
        return self.may_see_analytics

    def may_grant(self, role: str) -> bool:
        """A role up to one's own."""
        return self.may_manage_people and RANK[role] <= RANK[self.role]

    def may_manage(self, person: "User") -> bool:
        """A colleague up to one's own role; nobody changes themselves, so that nobody locks themselves out."""
        theirs = person.account_id == self.account_id and person.pk != self.pk and not person.is_superuser
        return theirs and self.may_grant(person.role)

    @property
    def scopes(self) -> list["ApiToken.Scope"]:
        """What a token of theirs can open."""
        scope = ApiToken.Scope
        may = {
            scope.READ: self.account_id is not None,
            scope.WORK: self.may_work,
            scope.ANALYTICS: self.may_see_analytics,
        }
        return [each for each in scope if may[each]]

    @property
    def is_staff(self) -> bool:
        """May enter the Django admin: the account's admins, and the operator of the installation."""
        return self.is_superuser or (self.role == self.Role.ADMIN and self.account_id is not None)


RANK = {role.value: rank for rank, role in enumerate(User.Role)}  # each may all that the ones before it may


class ApiTokenQuerySet(OwnedQuerySet["ApiToken"]):
    account_path = "user__account"

    def alive(self) -> Self:
        """Those that still open something: neither revoked nor expired, and of somebody active."""
        in_time = models.Q(expires_at=None) | models.Q(expires_at__gt=Now())
        return self.filter(in_time, revoked_at=None, user__is_active=True)


class ApiToken(models.Model):
    """A person's key to the API. Only a hash is kept, so it can be shown just once, when it is made.

    It never opens more than its person's role does, and of that only what its scopes name.
    """

    class Scope(models.TextChoices):
        READ = "read", "Read: sessions, handoffs and the stream"
        WORK = "work", "Work: start sessions, write, escalate, pick up, resolve"
        ANALYTICS = "analytics", "Analytics: the figures"

    PREFIX_LENGTH = 10
    NAME_LENGTH = 80
    ALL_SCOPES = "read work analytics"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    scopes = models.CharField(max_length=60, default=ALL_SCOPES, db_default=ALL_SCOPES, help_text="Words, with spaces.")
    prefix = models.CharField(max_length=PREFIX_LENGTH, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.prefix}… of {self.user}"

    @classmethod
    def issue(
        cls, user: User, *, name: str = "", scopes: Collection[str] = Scope.values, expires_at: datetime | None = None
    ) -> tuple["ApiToken", str]:
        """A new token and its plain text, which nothing can show again."""
        plain = "rf_" + secrets.token_urlsafe(32)
        token = cls.objects.create(
            user=user,
            name=name,
            scopes=" ".join(scope for scope in cls.Scope.values if scope in scopes),
            expires_at=expires_at,
            prefix=plain[: cls.PREFIX_LENGTH],
            digest=cls.digest_of(plain),
        )
        return token, plain

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def scope_names(self) -> str:
        return ", ".join(self.scopes.split())

    def opens(self, scope: str) -> bool:
        return scope in self.scopes.split()

    @staticmethod
    def digest_of(plain: str) -> str:
        """SHA-256 without salt: the text is 256 random bits, so there is nothing to guess."""
        return hashlib.sha256(plain.encode("utf-8", "surrogateescape")).hexdigest()


class IdempotentAnswer(models.Model):
    """What the API answered to a request with an Idempotency-Key, so that a retry gets the same."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64)  # of method, address and body
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_unique")]

    def __str__(self) -> str:
        return self.key


class SignIn(models.Model):
    """A browser in which somebody is signed in, as they see it in their list. The sign-in itself is the session.

    No foreign key to the session: a session ends in many ways (signed out, expired, pruned), and its row here is then
    simply not shown any more.
    """

    session_key = models.CharField(max_length=40, primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="sign_ins")
    browser = models.CharField(max_length=200)
    address = models.CharField(max_length=45)
    created_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"{self.user} on {self.address}"


class InvitationQuerySet(OwnedQuerySet["Invitation"]):
    def open(self) -> Self:
        """Those that can still be accepted."""
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=Now())


class Invitation(models.Model):
    """Somebody is asked to join an account. Its link holds a secret of which only the hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=User.Role)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="invitation_email_lower_case"),
            models.CheckConstraint(
                condition=models.Q(role__in=["viewer", "engineer", "owner", "admin"]), name="invitation_role_known"
            ),
            models.UniqueConstraint(
                fields=["account", "email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="one_invitation_per_address",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.account}"


class IdentityProvider(models.Model):
    """Where an account's people may sign in instead of with a password (OpenID Connect). Off until somebody says so."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="identity_provider")
    name = models.CharField(max_length=60)
    issuer = models.URLField(max_length=300)
    client_id = models.CharField(max_length=200)
    sealed_secret = models.TextField(editable=False)
    domains = models.CharField(max_length=500)
    enabled = models.BooleanField(default=False)
    reach = models.CharField(max_length=10, choices=User.Role)  # of whoever set it up: nobody above it comes in by it
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name} of {self.account}"

    @property
    def allowed_domains(self) -> list[str]:
        return self.domains.split()


class Identity(models.Model):
    """Whom a provider knows a person as. Fixed at the first sign-in: an address may get another owner there later."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="identity")
    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    issuer = models.URLField(max_length=300)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "issuer", "subject"], name="identity_unique")]

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"
