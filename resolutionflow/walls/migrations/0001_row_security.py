"""Row security on every table that holds an account's rows (docs/architecture.md, “Two walls”)."""

from django.conf import settings
from django.db import migrations

from resolutionflow.walls.policies import ACCOUNT, also_shown, of_account, of_parents

ACCOUNTS = [
    "accounts_user",
    "escalations_aisession",
    "escalations_handoff",
    "escalations_meaning",
    "escalations_modelcall",
    "escalations_refusedpickup",
    "escalations_runbook",
    "feed_counter",
    "feed_event",
    "analytics_handoff",
    "analytics_pickup",
    "analytics_mark",
    "trail_entry",  # those of no account are the installation's
    "trail_head",
]
CHILDREN = {
    "accounts_apitoken": ("user_id", "accounts_user", "id"),
    "accounts_idempotentanswer": ("user_id", "accounts_user", "id"),
    "accounts_user_groups": ("user_id", "accounts_user", "id"),
    "accounts_user_user_permissions": ("user_id", "accounts_user", "id"),
    "django_admin_log": ("user_id", "accounts_user", "id"),
    "escalations_message": ("session_id", "escalations_aisession", "id"),
    "escalations_triedstep": ("session_id", "escalations_aisession", "id"),
    "escalations_secret": ("session_id", "escalations_aisession", "id"),
    "escalations_reveal": ("secret_id", "escalations_secret", "id"),
    "escalations_assessment": ("handoff_id", "escalations_handoff", "id"),
    "escalations_feedback": ("assessment_id", "escalations_assessment", "handoff_id"),
}


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("accounts", "0004_former_accounts"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("analytics", "0001_facts"),
        ("escalations", "0006_refused_pickups"),
        ("trail", "0001_trail"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        of_account("accounts_account", "id"),
        *[of_account(table) for table in ACCOUNTS],
        # Names stay in the history of the account that somebody has left.
        also_shown("accounts_user", "used_to_be_here", f"{ACCOUNT} = ANY (former_accounts)"),
        *of_parents(CHILDREN),
    ]
