"""The rules: by which words or by which shape a secret gives itself away.

Each is a kind, a pattern whose group `s` (or all of it) is the secret, and a judge of what was found there. Patterns are
bounded everywhere, so that no text takes long.
"""

import re
from collections.abc import Callable, Iterator

from escalations.masking.values import any_value, code, odd, quoted, strong, told

PASSWORD = (
    r"(?:pass(?:word|wort|wd|code|phrase| phrase)?s?|kennw(?:o|ö)rt(?:er)?|pwd?|mot de passe|contraseña|wachtwoord|senha"
    r"|psk|pre-?shared[ _-]?key|wpa[23]?[ _-]?(?:psk|key|passphrase)|(?:wi-?fi|wlan|network security)[ _-]?key)"
)
TOKEN = (
    r"(?:(?:api|access|auth|bearer|session|refresh|id|bot|deploy|sas|personal access|service|security|csrf|web ?hook)"
    r"[ _-]?tokens?|tokens?|app[ _-]?password|(?:client|shared|api|app|radius|consumer|signing|webhook|totp|mfa|user|master)"
    r"[ _-]?secrets?|secrets?)"
)
KEY = (
    r"(?:(?:api|access|secret|account|storage|private|encryption|master|license|licence|product|activation|subscription|ssh"
    r"|primary|secondary|shared[ _-]?access|function|host|signing|shared|service|admin|tsig|ipsec|vpn|radius|hmac|aes|recovery|bitlocker"
    r"|setup|decryption|unlock)[ _-]?keys?(?:[ _-]id(?= is not))?|apikey|account[ _-]?key)"
)
WORDS = rf"(?:{PASSWORD}|{TOKEN}|{KEY}|community(?: string)?|connection[ _-]?string|enable secret)"
# Between the word and its value: for whom it is, and that it is.
FOR = r"(?: (?:for|of|on|to|at|in) (?:the |our |his |her |their )?[\w.@\\/-]{1,40}(?: [\w.@\\/-]{1,30}){0,4}?)"
QUOTED = r"[\"'“‘`«](?P<s>[^\"'”’`»\n]{4,200})[\"'”’`»]"
BARE = r"(?P<s>[^\s\"'“”‘’`«»<>]{4,500})"


def _rule(pattern: str, flags: int = re.IGNORECASE) -> "re.Pattern[str]":
    return re.compile(pattern, flags)


def _assigned(words: str) -> list[tuple["re.Pattern[str]", Callable[[str], bool]]]:
    """`word: value`, `"word"="value"`, `WORD_OF_X=value`, `<word>value</word>`, “the word is value”, “word value”."""
    named = rf"(?<![^\W\d])(?:[\w.-]{{0,40}}[_.-]|(?-i:[A-Za-z]{{1,30}}(?=[A-Z])))?{words}(?:[_.-]\w{{1,30}})?"
    return [
        (
            _rule(
                rf"{named}[\"'”]? ?(?:\([^)\n]{{1,30}}\) ?)?(?:{FOR})?\s{{0,3}}(?::=|=>|->|→|=|:)\s{{0,3}}(?:{QUOTED})"
            ),
            told,
        ),
        (
            _rule(rf"{named}[\"'”]? ?(?:\([^)\n]{{1,30}}\) ?)?(?:{FOR})?\s{{0,3}}(?::=|=>|->|→|=|:)\s{{0,3}}{BARE}"),
            told,
        ),
        (_rule(rf"<{words}[^>\n]{{0,40}}>\s*(?P<s>[^<\n]{{3,200}})</"), told),
        (_rule(rf"\b{words}\b(?:{FOR})? (?:{LINKS}) {QUOTED}"), told),
        (_rule(rf"\b{words}\b (?:{LINKS}) {BARE}"), odd),
        (_rule(rf"\b{words}\b{FOR} (?:{LINKS}) {BARE}"), odd),
        (_rule(rf"\b{words}\b(?:{FOR})? {QUOTED}"), quoted),
        (_rule(rf"\b{words}\b (?:[0-9] )?{BARE}"), strong),
        (_rule(rf"\b{words}\b{FOR} {BARE}(?=[.,;)]?(?:\s|$))"), strong),
    ]


LINKS = (
    r"(?:is|was|ist|lautet:?|war|were|are|be|it's|now|currently|still|temporarily)(?: (?:now|still|currently|just|set to|changed to"
    r"|reset to|temporarily|again|simply))?|(?:(?:was|is|has been|got|been) )?(?:re)?(?:set|changed|updated|switched"
    r"|rotated)(?: it| back)? to|to|auf|as|reads|says|called"
)
SHAPES = (
    r"sk-(?:[a-z]+-)*[A-Za-z0-9_-]{16,}|[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[\w+/=-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|github_pat_\w{20,}|glpat-[\w-]{16,}|glsa_\w{20,}|xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|(?:AKIA|ASIA)[0-9A-Z]{16}"
    r"|AIza[\w-]{30,}|ya29\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|hf_[A-Za-z0-9]{20,}"
    r"|rf_[\w-]{30,}|do[opr]_v1_[a-f0-9]{40,}|shp(?:at|ss|ca|pa)_[a-fA-F0-9]{20,}|hv[sb]\.[\w-]{20,}|AGE-SECRET-KEY-1\w{20,}"
    r"|sq0[a-z]{3}-[\w-]{20,}|ATATT[\w=-]{20,}|lin_api_\w{20,}|key-[0-9a-f]{32}|\d{8,10}:AA[\w-]{30,}|tskey-[\w-]{16,}"
    r"|dapi[a-f0-9]{32}|PMAK-[\w-]{24,}|NRAK-\w{20,}|sntrys_[\w=+/-]{20,}|gsk_\w{20,}|xai-\w{20,}|[\w.~-]{3}8Q~[\w.~-]{31,}"
    r"|eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?|(?:ntn|secret)_[A-Za-z0-9]{30,}"
)
Rule = tuple[str, "re.Pattern[str]", Callable[[str], bool]]
RULES: list[Rule] = [
    (
        "key",
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END)[\s\S]){0,20000}(?:-----END [A-Z0-9 ]{0,40}-----)?"
        ),
        any_value,
    ),
    ("key", re.compile(r"(?<=Private-Lines: )\d+\n(?:[A-Za-z0-9+/=]+\n?)+"), any_value),
    ("token", re.compile(rf"(?<![\w-])(?:{SHAPES})(?![\w])"), any_value),
    (
        "token",
        re.compile(r"(?<=hooks\.slack\.com/services/)[\w/]+|(?<=/api/webhooks/)\d+/[\w-]+|(?<=webhookb2/)[\w@/-]{30,}"),
        any_value,
    ),
    (
        "token",
        _rule(r"\b(?:bearer|negotiate|ntlm)\s+(?P<s>[A-Za-z0-9._~+/=-]{16,})"),
        lambda v: bool(re.search(r"\d", v)),
    ),
    ("password", _rule(r"\bauthorization:\s*basic\s+(?P<s>[A-Za-z0-9+/=]{6,})"), any_value),
    (
        "password",
        _rule(r"\b[a-z][a-z0-9+.-]{1,30}://[^\s:/@\"'<>]{0,100}:(?P<s>[^\s\"'<>]{1,200})@(?=[\w\[])"),
        any_value,
    ),
    (
        "key",
        _rule(
            r"[?&;](?:sig|signature|code|token|access_token|api_?key|key|secret|x-amz-signature)=(?P<s>[\w%+/=~.-]{8,})"
        ),
        any_value,
    ),
    ("recovery key", re.compile(r"(?<![\d-])\d{6}(?:[- ]\d{6}){7}(?![\d-])"), any_value),
    (
        "key",
        re.compile(r"(?<![\w-])(?=[A-Z0-9-]*\d)(?=[A-Z0-9-]*[A-Z])[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}(?![\w-])"),
        any_value,
    ),
    (
        "password",
        re.compile(r"\$(?:2[aby]|1|5|6|y|argon2id?)\$[\w./$=,+-]{20,}|(?i:\b[0-9a-f]{32}:[0-9a-f]{32}\b)"),
        any_value,
    ),
    # Commands
    (
        "password",
        _rule(
            r"(?:^|\s)(?:--?password|--?passwd|--?pass|--?pwd|/pass(?:word)?|/pwd|/p|/rp)(?:[:=]|\s+)(?!-)[\"']?(?P<s>[^\s\"']{4,})"
        ),
        told,
    ),
    (
        "password",
        _rule(
            r"\b(?:sshpass|docker|podman|helm|az|mysql\w*|psexec\w*|mongo\w*|ldapsearch|smbclient|winexe|plink|putty|sqlcmd|ipmitool|pscp)\b[^\n|]{0,120}?\s-(?:p|pw|w|P)\s?[\"']?(?P<s>[^\s\"'-][^\s\"']{3,})",
            0,
        ),
        told,
    ),
    (
        "password",
        _rule(r"\b(?:curl|wget|http)\b[^\n|]{0,200}?\s(?:-u|--user)[= ]?[\"']?[^\s:\"']+:(?P<s>[^\s\"']{3,})"),
        any_value,
    ),
    ("password", _rule(r"\bnet\s+user\s+(?!/)\S+\s+(?P<s>[^\s/*][^\s]{3,})"), strong),
    ("password", _rule(r"\bnet\s+use\b[^\n]{0,160}?/user:\S+\s+(?P<s>[^\s/*]\S{3,})"), any_value),
    ("password", _rule(r"\bnet\s+use\s+\S+\s+(?:\S+\s+)?(?P<s>[^\s/*]\S{3,})\s+/user:"), any_value),
    ("password", _rule(r"\bConvertTo-SecureString\s+(?:-String\s+)?[\"']?(?P<s>[^\s\"']{4,})"), told),
    ("password", _rule(r"\bsmbclient\b[^\n]{0,160}?-U\s+\S+%(?P<s>\S{3,})"), any_value),
    ("password", _rule(r"\bDefaultPassword\b\s+(?:REG_SZ\s+)?(?P<s>\S{4,})"), told),
    (
        "password",
        _rule(r"\b(?:password|secret|key|key-string|pre-shared-key|psksecret)\s+(?:0|5|7|8|9|ENC)\s+(?P<s>\S{4,})"),
        any_value,
    ),
    (
        "password",
        _rule(
            r"\b(?:snmp-server\s+community|rocommunity6?|rwcommunity6?|community(?: string)?)\s+(?P<s>(?!string|is|was|strings)[\w!@#$%^&*.-]{4,})"
        ),
        lambda v: strong(v) or v in {"public", "private"} or "_" in v,
    ),
    (
        "key",
        _rule(r"\b(?:tacacs-server|radius-server|wpa-psk|pre-shared-key|isakmp)\b[^\n]{0,40}?\bkey\s+(?P<s>\S{4,})"),
        told,
    ),
    (
        "password",
        _rule(
            rf"\b(?:use|using|used|with|enter|entered|try|tried|took|typed?|set|has|have)\s+{BARE}\s+as (?:the |a |his |her |their |new |admin |local )*(?:{PASSWORD})\b"
        ),
        strong,
    ),
    # Names and passwords in one breath
    (
        "password",
        _rule(
            r"\b(?:creds?|credentials|log-?in|logon|log(?:ged)? (?:in|on)|sign(?:ed)? in|account|access|user(?:name)?|zugangsdaten|anmeldung)\b[^\n.]{0,40}?[\s:=(][\w.@\\-]{2,40} ?[/|] ?(?P<s>[^\s/|\"']{5,})"
        ),
        strong,
    ),
    (
        "password",
        _rule(
            r"\b(?:creds?|credentials|zugangsdaten|log-?in)\b[^\n.]{0,40}?[\s:=(](?!https?:)[\w.@\\-]{2,40}:(?P<s>[^\s/|\"':]{5,})"
        ),
        strong,
    ),
    (
        "password",
        _rule(
            r"\b(?:log(?:s|ged|ging)?[ -]?(?:in|on)|sign(?:s|ed|ing)?[ -]?(?:in|on)|authenticat\w+|unlock\w*|connect(?:s|ed|ing)?)\b[^\n.]{0,60}?\b(?:with|using|via|and) (?:the )?(?P<s>[^\s\"'“”]{7,})"
        ),
        lambda v: (
            strong(v)
            and bool(re.search(r"[a-z]", v) and re.search(r"\d", v) and re.search(r"[A-Z!@#$%^&*+=?~]", v))
            and not re.fullmatch(r"[A-Za-z]+\d+|[A-Za-z]+\d+[A-Za-z]+", v)
        ),
    ),
    # Codes
    (
        "code",
        _rule(
            r"\b(?:recovery|backup|scratch|emergency|one[ -]time|otp|mfa|2fa|two[ -]factor|verification|authenticator|authentication|sms|security|unlock|door|gate|alarm|safe|access|login|sign-?in|reset|pairing|enrol?lment|unlocking)[ -]?(?:pass)?(?:codes?|pins?)\b[^\n\d+]{0,40}?(?P<s>(?=[A-Za-z0-9-]{0,12}\d)[A-Za-z0-9]{1,12}(?:(?:[ -]|, ?|; ?|\n)(?=[A-Za-z]{0,11}\d)[A-Za-z0-9]{3,12}){0,40})"
        ),
        lambda v: code(v),
    ),
    (
        "code",
        _rule(
            r"\b(?:pin|puk|otp|totp|pin code)\b(?: (?:for|of|on) (?:the )?[\w-]+(?: [\w-]+)?)?(?: (?:is|was|=|to))?[\s:=#]{1,3}(?P<s>\d{3,4}[ -]?\d{0,4})(?!\d|[.,]\d|\s?(?:days|digits|times|minutes|characters|pins?|tries))"
        ),
        any_value,
    ),
]
# Rules that begin with one of these words; a text without any of them is done with at once.
OTHERS = r"(?:community(?: string)?|connection[ _-]?string|seed phrase)"
RULES_AFTER = [
    (_rule(words), [(kind, *rule) for rule in _assigned(words)])
    for kind, words in [("password", PASSWORD), ("token", TOKEN), ("key", KEY), ("key", OTHERS)]
]


def rules_for(text: str) -> Iterator[Rule]:
    """The rules that may find something in this text."""
    yield from RULES
    for words, rules in RULES_AFTER:
        if words.search(text):
            yield from rules


# Some of these letters stand in every text in which a rule finds anything: most texts hold none, and are done with.
HINTS = (
    *(
        "pass",
        "pw",
        "kennw",
        "contrase",
        "wachtwoord",
        "senha",
        "psk",
        "wpa",
        "wifi",
        "wi-fi",
        "wlan",
        "key",
        "schl",
        "token",
    ),
    *(
        "secret",
        "bearer",
        "basic",
        "negotiate",
        "ntlm",
        "://",
        "sig=",
        "signature=",
        "code",
        "begin ",
        "private-",
        "hooks.",
    ),
    *(
        "webhook",
        "community",
        "connection",
        "connect",
        "seed",
        "cred",
        "log",
        "sign",
        "account",
        "access",
        "user",
        "auth",
    ),
    *(
        "zugang",
        "anmeld",
        "unlock",
        "pin",
        "puk",
        "otp",
        "curl",
        "wget",
        "http",
        "securestring",
        "smbclient",
        "/p:",
        "/rp",
    ),
    *(
        "sk-",
        "sk_",
        "rk_",
        "whsec_",
        "gh",
        "glpat",
        "glsa_",
        "xox",
        "xapp",
        "akia",
        "asia",
        "aiza",
        "ya29",
        "sg.",
        "npm_",
    ),
    *("pypi-", "hf_", "rf_", "_v1_", "shp", "hv", "sq0", "atatt", "lin_api", ":aa", "tskey", "dapi", "pmak", "nrak"),
    *("sntrys", "gsk_", "xai-", "8q~", "eyj", "ntn_", "$2", "$1$", "$5$", "$6$", "$y$", "$argon", "mot de", "tacacs"),
    *(
        "mysql",
        "psexec",
        "sshpass",
        "docker",
        "podman",
        "helm",
        "mongo",
        "ldap",
        "plink",
        "putty",
        "sqlcmd",
        "ipmi",
        "pscp",
    ),
    *(
        "winexe",
        "isakmp",
        "network security",
        "recovery",
        "backup",
        "net use",
        "mfa",
        "2fa",
        "sms",
        "door",
        "gate",
        "alarm",
    ),
)
HINTED = re.compile(r"\d{6}[- ]\d{6}|[A-Z0-9]{5}-[A-Z0-9]{5}-|[0-9a-fA-F]{32}:")


def may_hold_one(text: str) -> bool:
    """False for most texts that hold no secret; cheap, so that a hundred thousand of them cost nothing."""
    lowered = text.lower()
    return any(hint in lowered for hint in HINTS) or HINTED.search(text) is not None
