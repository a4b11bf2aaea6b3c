"""People's own pages. Where django-allauth does the work its views stand at our addresses, with our templates."""

from allauth.account import views as allauth
from allauth.mfa.base import views as second_step
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as keys
from django.urls import path, re_path

from resolutionflow.accounts import mail
from resolutionflow.accounts import token_views as tokens
from resolutionflow.accounts.views import confirm, elsewhere, people, settings, sign_in, your_account

urlpatterns = [
    path("login/", sign_in.sign_in, name="login"),
    path("logout/", sign_in.sign_out, name="logout"),
    # The second step of a sign-in
    path("login/second-step/", second_step.authenticate, name="mfa_authenticate"),
    # With the account's own identity provider
    path("login/with/", elsewhere.which, name="sign_in_elsewhere_which"),
    path("login/with/<slug:slug>/", elsewhere.page, name="sign_in_elsewhere"),
    path("login/with/<slug:slug>/go/", elsewhere.go, name="sign_in_elsewhere_go"),
    path("login/with/<slug:slug>/back/", elsewhere.back, name="sign_in_elsewhere_back"),
    path("people/sign-in/", elsewhere.settings, name="sign_in_settings"),
    # A forgotten password
    path(
        "password/reset/",
        allauth.PasswordResetView.as_view(extra_context={"mail_is_set_up": mail.is_set_up}),
        name="account_reset_password",
    ),
    path("password/reset/sent/", allauth.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z]{1,40})-(?P<key>[^/]{1,100})/$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/reset/done/", allauth.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    # Your account
    path("account/", your_account.your_account, name="your_account"),
    path("account/password/", your_account.password, name="account_change_password"),
    path("account/sign-ins/others/end/", your_account.end_other_sign_ins, name="end_other_sign_ins"),
    path("account/sign-ins/<slug:id>/end/", your_account.end_sign_in, name="end_sign_in"),
    path("account/tokens/", tokens.tokens, name="tokens"),
    path("account/tokens/<uuid:token_id>/revoke/", tokens.revoke, name="revoke-token"),
    path("account/confirm/", allauth.reauthenticate, name="account_reauthenticate"),
    path("account/confirm/code/", second_step.reauthenticate, name="mfa_reauthenticate"),
    path("account/confirm/key/", confirm.with_key, name="mfa_reauthenticate_webauthn"),
    path("account/app/", app.activate_totp, name="mfa_activate_totp"),
    path("account/app/remove/", app.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/keys/add/", keys.add_webauthn, name="mfa_add_webauthn"),
    path("account/keys/<int:pk>/remove/", keys.remove_webauthn, name="mfa_remove_webauthn"),
    path("account/codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("account/codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("account/name/", your_account.name, name="change_name"),
    # The account's settings
    path("settings/", settings.settings, name="settings"),
    # The account's people
    path("people/", people.people, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/invitations/<uuid:invitation_id>/revoke/", people.revoke, name="revoke_invitation"),
    path("people/<uuid:person_id>/", people.person, name="person"),
    path("people/<uuid:person_id>/role/", people.change_role, name="change_role"),
    path("people/<uuid:person_id>/deactivate/", people.deactivate, name="deactivate"),
    path("people/<uuid:person_id>/reactivate/", people.reactivate, name="reactivate"),
    path("people/<uuid:person_id>/second-step/remove/", people.remove_second_step, name="remove_second_step"),
    path("invitations/<str:secret>/", people.invitation, name="invitation"),
]

# What allauth calls these pages
urlpatterns += [
    path("login/", sign_in.sign_in, name="account_login"),
    path("logout/", sign_in.sign_out, name="account_logout"),
    path("account/", your_account.your_account, name="mfa_index"),
    path("account/", your_account.your_account, name="mfa_list_webauthn"),
]
