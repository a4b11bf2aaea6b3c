"""Row security on what a sign-in keeps: second steps, places, invitations, an account's own identity provider."""

from django.db import migrations

from resolutionflow.walls.policies import of_account, of_parents

ACCOUNTS = ["accounts_identityprovider", "accounts_identity", "accounts_invitation"]
CHILDREN = {
    "accounts_signin": ("user_id", "accounts_user", "id"),
    "mfa_authenticator": ("user_id", "accounts_user", "id"),
    "account_emailaddress": ("user_id", "accounts_user", "id"),
    "account_emailconfirmation": ("email_address_id", "account_emailaddress", "id"),
}


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("walls", "0001_row_security"),
        ("accounts", "0006_sign_in_pages"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]
    operations = [*map(of_account, ACCOUNTS), *of_parents(CHILDREN)]
