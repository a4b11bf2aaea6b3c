"""Who gets where: the table that every door must have a row in.

One letter for each of, in this order: signed out, viewer, engineer, owner, admin of this account; engineer, owner,
admin of another; deactivated; superuser. First for reading (GET), then for writing (POST); addresses with ids name
rows of this account, of its engineer's own session for instance.

`o` in · `l` sign in first · `a` no business in the admin · `s` sent to the admin's start · `f` not allowed ·
`n` no such thing · `m` not that way.
"""

Row = tuple[str, str]

LIST: Row = ("loooooools", "lmmmmmmmls")  # one's own account's, whoever asks
ONE: Row = ("loooonnnls", "lmmmmmmmls")
BY_ENGINEERS: Row = ("lmmmmmmmls", "lfooonnnls")
BY_WHO_HAS_IT: Row = ("lmmmmmmmls", "lfoffnnnls")
BY_WHO_ESCALATED: Row = ("lmmmmmmmls", "lffffnnnls")
BY_WHO_IS_ASKED: Row = ("lmmmmmmmls", "lffofnnnls")  # the owner, to whom the engineer offers what they have
FIGURES: Row = ("lffoofools", "lmmmmmmmls")
OF_WHO_WORKS: Row = ("lfooooools", "lmmmmmmmls")  # one's own, of one's own account
FOR_ALL: Row = ("o" * 10, "o" * 10)
TO_READ: Row = ("o" * 10, "m" * 10)
NOWHERE: Row = ("n" * 10, "n" * 10)
OWN: Row = ("looooooolo", "looooooolo")  # everybody's about themselves, a viewer's and the operator's as well
OWN_TO_READ: Row = ("looooooolo", "lmmmmmmmlm")
OWN_TO_DO: Row = ("lmmmmmmmlm", "looooooolo")
BY_ENGINEER: Row = ("lnonnnnnln", "lnonnnnnln")  # their own, and nobody else's
BY_MANAGERS: Row = ("lmmmmmmmls", "lffoonnnls")
API_LIST: Row = ("looooooolf", "m" * 10)
API_ONE: Row = ("loooonnnlf", "m" * 10)
API_FIGURES: Row = ("lffoofoolf", "m" * 10)
API_MAKE: Row = ("m" * 10, "lfoooooolf")
API_BY_ENGINEERS: Row = ("m" * 10, "lfooonnnlf")
API_BY_WHO_HAS_IT: Row = ("m" * 10, "lfoffnnnlf")
API_BY_WHO_ESCALATED: Row = ("m" * 10, "lffffnnnlf")
API_BY_WHO_IS_ASKED: Row = ("m" * 10, "lffofnnnlf")
ADMIN: Row = ("aaaaoaaoao", "laaaoaaolo")
ADMIN_TO_READ: Row = ("aaaaoaaoao", "laaamaamlm")

DOORS: dict[str, Row] = {
    "": ("looooooolo", "looooooolo"),
    "login/": FOR_ALL,
    "login/second-step/": OWN,  # nobody is between the steps: who is signed in goes on, others begin again
    "login/with/": TO_READ,
    "login/with/<slug:slug>/": TO_READ,
    "login/with/<slug:slug>/go/": TO_READ,
    "login/with/<slug:slug>/back/": ("f" * 10, "m" * 10),  # nobody has gone there
    "logout/": ("mmmmmmmmmm", "llllllllll"),
    "password/reset/": FOR_ALL,
    "password/reset/sent/": TO_READ,
    "password/reset/<a key>/": FOR_ALL,
    "password/reset/done/": TO_READ,
    "invitations/<str:secret>/": FOR_ALL,  # for whoever has the link
    "account/": OWN_TO_READ,
    "account/password/": OWN,
    "account/sign-ins/others/end/": OWN_TO_DO,
    "account/sign-ins/<slug:id>/end/": ("lmmmmmmmlm", "lnonnnnnln"),
    "account/tokens/": ("loooooools", "loooooools"),
    "account/tokens/<uuid:token_id>/revoke/": ("lnonnnnnls", "lnonnnnnls"),
    "account/confirm/": OWN,
    "account/confirm/code/": OWN,
    "account/confirm/key/": OWN,
    "account/app/": OWN,
    "account/app/remove/": ("lnonnonnln", "lnonnonnln"),  # both engineers have one
    "account/keys/add/": OWN,
    "account/keys/<int:pk>/remove/": BY_ENGINEER,
    "account/codes/": ("lnonnonnln", "lmmmmmmmlm"),
    "account/codes/new/": OWN,
    "account/name/": OWN_TO_DO,
    "settings/": ("lffoofools", "lffoofools"),
    "help/": LIST,
    "rehearsal/": NOWHERE,  # but in a demonstration
    "rehearsal/start/": NOWHERE,
    "rehearsal/stop/": NOWHERE,
    "people/": ("lffoofools", "lmmmmmmmls"),
    "people/sign-in/": ("lffoofools", "lffoofools"),
    "people/invite/": ("lmmmmmmmls", "lffoofools"),
    "people/invitations/<uuid:invitation_id>/revoke/": BY_MANAGERS,
    "people/<uuid:person_id>/": ("lffoonnnls", "lmmmmmmmls"),
    "people/<uuid:person_id>/role/": BY_MANAGERS,
    "people/<uuid:person_id>/deactivate/": ("lffoonnnls", "lffoonnnls"),
    "people/<uuid:person_id>/reactivate/": BY_MANAGERS,
    "people/<uuid:person_id>/second-step/remove/": BY_MANAGERS,
    "queue/": LIST,
    "queue/cards/": LIST,
    "queue/lessons/": LIST,
    "handoffs/<uuid:handoff_id>/": ONE,
    "handoffs/<uuid:handoff_id>/pick-up/": BY_ENGINEERS,
    "handoffs/<uuid:handoff_id>/release/": BY_WHO_HAS_IT,
    "queue/offers/": LIST,
    "handoffs/<uuid:handoff_id>/undo/": BY_WHO_HAS_IT,
    "handoffs/<uuid:handoff_id>/hand-to/": BY_WHO_HAS_IT,
    "handoffs/<uuid:handoff_id>/accept/": BY_WHO_IS_ASKED,
    "handoffs/<uuid:handoff_id>/decline/": BY_WHO_IS_ASKED,
    "handoffs/<uuid:handoff_id>/withdraw/": BY_WHO_HAS_IT,
    "handoffs/<uuid:handoff_id>/take-back/": BY_WHO_ESCALATED,
    "handoffs/<uuid:handoff_id>/assess/": BY_ENGINEERS,
    "handoffs/<uuid:handoff_id>/feedback/": BY_WHO_HAS_IT,
    "notifications/": OF_WHO_WORKS,
    "notifications/panel/": OF_WHO_WORKS,
    "notifications/state/": OF_WHO_WORKS,
    "notifications/read/": ("lmmmmmmmls", "lfooooools"),
    "account/notifications/": ("lfooooools", "lfooooools"),
    "handoffs/<uuid:handoff_id>/got-it/": BY_WHO_ESCALATED,
    "runbooks/<str:key>/": ONE,
    "sessions/": ("loooooools", "lfooooools"),
    "sessions/<uuid:session_id>/": ONE,
    "sessions/<uuid:session_id>/messages/": BY_WHO_HAS_IT,
    "sessions/<uuid:session_id>/steps/": BY_WHO_HAS_IT,
    "sessions/<uuid:session_id>/steps/<uuid:step_id>/merge/<uuid:other_id>/": BY_WHO_HAS_IT,
    "sessions/<uuid:session_id>/steps/<uuid:step_id>/keep-apart/": BY_WHO_HAS_IT,
    "sessions/<uuid:session_id>/suggestions/": ("lmmmmmmmls", "loooonnnls"),
    "sessions/<uuid:session_id>/escalate/": BY_WHO_HAS_IT,
    "sessions/<uuid:session_id>/reveal/": BY_WHO_HAS_IT,
    "sessions/<uuid:session_id>/resolve/": BY_WHO_HAS_IT,
    "settings/channels/": ("lffoofools", "lmmmmmmmls"),
    "settings/channels/add/<slug:kind>/": ("lffoofools", "lffoofools"),
    "settings/channels/<uuid:channel_id>/edit/": ("lffoonnnls", "lffoonnnls"),
    "settings/channels/<uuid:channel_id>/secret/": ("lffoonnnls", "lffoonnnls"),
    "settings/channels/<uuid:channel_id>/switch/": BY_MANAGERS,
    "settings/channels/<uuid:channel_id>/test/": BY_MANAGERS,
    "settings/channels/<uuid:channel_id>/remove/": ("lffoonnnls", "lffoonnnls"),
    "sessions/<uuid:session_id>/draft/": BY_ENGINEERS,
    "sessions/<uuid:session_id>/attachments/": BY_WHO_HAS_IT,
    "sessions/<uuid:session_id>/attachments/<uuid:attachment_id>/": ONE,
    "sessions/<uuid:session_id>/attachments/<uuid:attachment_id>/remove/": BY_WHO_HAS_IT,
    "analytics/": ("loooooools", "loooooools"),
    "analytics/causes/": FIGURES,
    "analytics/phone/": ("lffoofools", "lffoofools"),
    "analytics/phone/<uuid:sample_id>/remove/": ("lffoonnnls", "lffoonnnls"),
    "analytics/escalations/": FIGURES,
    "analytics/escalations/table.csv": FIGURES,
    "analytics/escalations/handoffs/": FIGURES,
    "analytics/escalations/handoffs.csv": FIGURES,
    "analytics/escalations/waiting/": FIGURES,
    "api/openapi.json": FOR_ALL,
    "api/docs": FOR_ALL,
    "api/sessions": API_MAKE,
    "api/sessions/<session_id>": API_ONE,
    "api/sessions/<session_id>/attachments/<attachment_id>": API_ONE,
    "api/sessions/<session_id>/messages": API_BY_WHO_HAS_IT,
    "api/sessions/<session_id>/steps": API_BY_WHO_HAS_IT,
    "api/sessions/<session_id>/handoffs": API_BY_WHO_HAS_IT,
    "api/sessions/<session_id>/resolve": API_BY_WHO_HAS_IT,
    "api/sessions/<session_id>/reveal": API_BY_WHO_HAS_IT,
    "api/handoffs": API_LIST,
    "api/handoffs/<handoff_id>": API_ONE,
    "api/handoffs/<handoff_id>/pick-up": API_BY_ENGINEERS,
    "api/handoffs/<handoff_id>/release": API_BY_WHO_HAS_IT,
    "api/handoffs/<handoff_id>/undo": API_BY_WHO_HAS_IT,
    "api/handoffs/<handoff_id>/hand-to": API_BY_WHO_HAS_IT,
    "api/handoffs/<handoff_id>/accept": API_BY_WHO_IS_ASKED,
    "api/handoffs/<handoff_id>/decline": API_BY_WHO_IS_ASKED,
    "api/handoffs/<handoff_id>/withdraw": API_BY_WHO_HAS_IT,
    "api/handoffs/<handoff_id>/take-back": API_BY_WHO_ESCALATED,
    "api/handoffs/<handoff_id>/feedback": API_BY_WHO_HAS_IT,
    "api/analytics/escalations": API_FIGURES,
    "api/": NOWHERE,
    "api/<path:anything>": NOWHERE,
    "admin/": ADMIN,
    "admin/login/": ("lfffsffsls", "lfffsffsls"),
    "admin/logout/": ("asssmssmam", "lssslsslll"),
    "admin/password_change/": ADMIN,
    "admin/password_change/done/": ADMIN_TO_READ,
    "admin/jsi18n/": ADMIN_TO_READ,
    "admin/<an app>/": ADMIN,
    "admin/(?P<url>.*)$": ("aaaanaanan", "laaanaanln"),
    "healthz": TO_READ,
    "metrics": TO_READ,  # from this machine, as the tests are
}

# Addresses below `admin/<app>/<model>/`. What the product registers is for an account's admins to read (OWN_ROWS)
# unless it says more; what libraries register is the operator's.
THE_ACCOUNT: dict[str, Row] = {
    "": ("laaaoaaolo", "laaaoaaolo"),
    "add/": ("laaafaaflo", "laaafaaflo"),
    "<path:object_id>/history/": ("laaaoaanlo", "laaaoaanlo"),
    "<path:object_id>/delete/": ("laaafaanlf", "laaafaanlf"),
    "<path:object_id>/change/": ("laaaoaanlo", "laaaoaanlo"),
    "<path:object_id>/": ("laaaoaaolo", "laaaoaaolo"),
}
PEOPLE: dict[str, Row] = {
    "<id>/password/": ("laaaoaanlo", "laaaoaanlo"),
    "": ("laaaoaaolo", "laaaoaaolo"),
    "add/": ("laaaoaaolo", "laaaoaaolo"),
    "<path:object_id>/history/": ("laaaoaanlo", "laaaoaanlo"),
    "<path:object_id>/delete/": ("laaafaanlf", "laaafaanlf"),
    "<path:object_id>/change/": ("laaaoaanlo", "laaaoaanlo"),
    "<path:object_id>/": ("laaaoaaolo", "laaaoaaolo"),
}
OWN_ROWS: dict[str, Row] = {
    "": ("laaaoaaolo", "laaaoaaolo"),
    "add/": ("laaafaaflf", "laaafaaflf"),
    "<path:object_id>/history/": ("laaaoaanlo", "laaaoaanlo"),
    "<path:object_id>/delete/": ("laaafaanlf", "laaafaanlf"),
    "<path:object_id>/change/": ("laaaoaanlo", "laaafaanlf"),
    "<path:object_id>/": ("laaaoaaolo", "laaaoaaolo"),
}
OPERATORS: dict[str, Row] = {
    "": ("laaafaaflo", "laaafaaflo"),
    "add/": ("laaafaaflf", "laaafaaflf"),
    "<path:object_id>/history/": ("laaasaasls", "laaasaasls"),
    "<path:object_id>/delete/": ("laaafaafls", "laaafaafls"),
    "<path:object_id>/change/": ("laaafaafls", "laaafaafls"),
    "<path:object_id>/": ("laaaoaaolo", "laaaoaaolo"),
}
JOBS: dict[str, Row] = {
    "": ("laaafaaflo", "laaafaaflo"),
    "add/": ("laaafaaflf", "laaafaaflf"),
    "<path:object_id>/history/": ("laaafaaflo", "laaafaaflo"),
    "<path:object_id>/delete/": ("laaafaaflf", "laaafaaflf"),
    "<path:object_id>/change/": ("laaafaaflo", "laaafaaflf"),
    "<path:object_id>/": ("laaaoaaolo", "laaaoaaolo"),
}
MODELS = {
    "accounts/account": THE_ACCOUNT,
    "accounts/user": PEOPLE,
    "accounts/apitoken": OWN_ROWS,
    "escalations/assessment": OWN_ROWS,
    "escalations/attachment": OWN_ROWS,
    "escalations/channel": OWN_ROWS,
    "escalations/delivery": OWN_ROWS,
    "escalations/feedevent": OWN_ROWS,
    "escalations/handoff": OWN_ROWS,
    "escalations/modelcall": OWN_ROWS,
    "escalations/reveal": OWN_ROWS,
    "escalations/runbook": OWN_ROWS,
    "escalations/aisession": OWN_ROWS,
    "trail/entry": OWN_ROWS,
    "axes/accessattempt": OPERATORS,
    "axes/accesslog": OPERATORS,
    "axes/accessfailurelog": OPERATORS,
    "procrastinate/procrastinatejob": JOBS,
}

# Whoever has an invitation is told where to.
NAMES_ITS_ACCOUNT = {"invitations/<str:secret>/"}
# Asks no account's row, and gives the connection back in the middle of a test.
ABOUT_NOBODY = {"readyz"}


def row_of(pattern: str) -> Row | None:
    """The row of an address's pattern; None if somebody has made a door and forgotten who may go through it."""
    if pattern.startswith("admin/^"):
        pattern = "admin/<an app>/"
    if pattern.startswith("^password/reset/"):
        pattern = "password/reset/<a key>/"
    if pattern in DOORS:
        return DOORS[pattern]
    _, *model, rest = [*pattern.split("/", 3), "", "", ""][:4]
    return MODELS.get("/".join(model), {}).get(rest)
