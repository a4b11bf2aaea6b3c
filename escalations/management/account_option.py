"""`--account SLUG`, as the commands understand it."""

from django.core.management.base import CommandError

from resolutionflow.accounts.models import Account

MOST_NAMED = 20


def account_with(slug: str) -> Account:
    """The account of that slug. Raises CommandError with the slugs that there are."""
    # What is not printable (a byte that is no UTF-8, say) is no slug, and the database would choke on it.
    account = Account.objects.filter(slug=slug).first() if slug.isprintable() else None
    if account is None:
        slugs = ", ".join(Account.objects.order_by("slug").values_list("slug", flat=True)[:MOST_NAMED])
        known = f"The slugs are: {slugs}." if slugs else "There is no account yet; the admin makes one."
        raise CommandError(f"No account has the slug {slug!a}. {known}")
    return account
