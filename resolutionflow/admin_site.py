"""The Django admin: who gets in, and whose rows they see.

Rights come from the role, not from permission rows, and everything is denied by default: an `OwnedAdmin` shows the
account's own rows and changes none, unless its class says so; whatever else registers itself (libraries do) is for
the operator of the installation alone.
"""

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import DataError
from django.db.models import Model, QuerySet
from django.db.models.fields.related import RelatedField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from escalations.live.people import rights_changed
from resolutionflow.trail import record

M = TypeVar("M", bound=Model)
P = TypeVar("P", bound=Model)
R = TypeVar("R")

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline
    from django.contrib.admin.models import LogEntry

    from resolutionflow.accounts.models import Account
else:  # Django's own classes take no type parameters when they run

    class ModelAdmin(admin.ModelAdmin, Generic[M]):
        pass

    class TabularInline(admin.TabularInline, Generic[M, P]):
        pass


class ResolutionFlowAdmin(AdminConfig):
    default_site = "resolutionflow.admin_site.Site"


class Recorded(ModelAdmin[M]):
    """Whatever the admin notes in its own log goes into the audit trail as well: which fields, not what they say."""

    account_path = ""
    trail_kind = "admin_changed"

    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> "LogEntry":
        self._record(request, obj, "added", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> "LogEntry":
        self._record(request, obj, "changed", message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: "QuerySet[M]") -> Any:
        for obj in queryset:
            self._record(request, obj, "deleted", "")
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, obj: M, done: str, message: Any) -> None:
        assert request.user.is_authenticated, "nobody else gets into the admin"
        about = f"{self.opts.verbose_name} {obj.pk}"
        record(self.trail_kind, account=self._account_of(obj), by=request.user, about=about, **_noted(done, message))

    def _account_of(self, obj: Any) -> "Account | None":
        """Whose trail it belongs to; None: the installation's."""
        if not self.account_path:
            return None
        path = [step for step in self.account_path.split("__") if step != "pk"]
        account: Account | None = functools.reduce(getattr, path, obj)
        return account


def _noted(done: str, message: Any) -> dict[str, str]:
    """`message` is a sentence of ours, or Django's own list of what was changed."""
    if isinstance(message, str):
        return {"done": message or done}
    named = [part for entry in message for part in entry.values()]
    return {"done": done, "fields": ", ".join(field for part in named for field in part.get("fields", []))}


class OperatorOnly(Recorded[M]):
    """Comes before an admin class that knows nothing of roles."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return request.user.is_superuser and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return request.user.is_superuser and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return request.user.is_superuser and super().has_delete_permission(request, obj)


class OwnedAdmin(Recorded[M]):
    """Shows an account's admins the account's own rows, and the operator everybody's. Read-only as it stands.

    `account_path` leads from the model to its account. A stranger's row is a 404 at every address.
    """

    account_path = "account"
    actions_selection_counter = True
    list_per_page = 50
    list_select_related: ClassVar[list[str]] = []
    list_filter: ClassVar[list[Any]] = []
    show_full_result_count = False
    view_on_site = False

    # Whose rows

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows, user = super().get_queryset(request), request.user
        if user.is_superuser:
            return rows
        return rows.filter(**{self.account_path: user.account_id}) if user.is_authenticated else rows.none()

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> M:
        """Raises Http404 before any question of rights, so that a stranger's row looks like none at all."""
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    def get_field_queryset(
        self, db: str | None, db_field: "RelatedField[Any, Any]", request: HttpRequest
    ) -> QuerySet[Any]:
        """A form offers what the person could look up, too."""
        return self.admin_site.get_model_admin(db_field.remote_field.model).get_queryset(request)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [*self._columns_of_the_operator(request), *self.list_filter]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*self.list_display, *self._columns_of_the_operator(request)]

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        return [*self.list_select_related, *self._columns_of_the_operator(request)]

    def _columns_of_the_operator(self, request: HttpRequest) -> list[str]:
        return [self.account_path] if request.user.is_superuser and self.account_path != "pk" else []

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what the filters ask themselves: an address cannot be used to guess at a hash, letter by letter."""
        names = [getattr(each, "parameter_name", each) for each in self.get_list_filter(request)]
        endings = ("", "__exact", "__isnull", "__gte", "__lt", "__id__exact")
        return lookup in {f"{name}{ending}" for name in names for ending in endings}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except (ValidationError, DataError) as error:  # ids that are none, NUL bytes
            raise BadRequest("This list cannot be asked that.") from error

    # Who may what

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


class ReadOnlyInline(TabularInline[M, P]):
    """Rows of an object that the page has found within the account already."""

    extra = 0
    max_num = 0
    can_delete = False
    view_on_site = False

    def has_view_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        return False


class Site(admin.AdminSite):
    site_header = "ResolutionFlow administration"
    site_title = "ResolutionFlow"
    index_title = "Administration"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        if not (admin_class and issubclass(admin_class, OwnedAdmin)):
            bases = (OperatorOnly, admin_class) if admin_class else (OperatorOnly,)
            admin_class = type("OperatorOnlyAdmin", bases, {})
        super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Without two doors that look any object up by its name or id, and that nothing here uses."""
        unused = {"view_on_site", "autocomplete"}
        return [url for url in super().get_urls() if getattr(url, "name", None) not in unused]

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return self._felt_at_once(super().logout, request, extra_context)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return self._felt_at_once(super().password_change, request, extra_context)

    def _felt_at_once(self, view: Callable[..., R], request: HttpRequest, extra_context: dict[str, Any] | None) -> R:
        """What the person has open is looked at again after `view`."""
        person = request.user.pk
        answer = view(request, extra_context)
        if person and request.method == "POST":
            rights_changed(person)
        return answer

    @method_decorator(never_cache)
    @login_not_required
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The product has one login page; somebody who is signed in and has no business here is told so."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        after = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': after})}")
