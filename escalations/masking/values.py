"""What a secret looks like, once a word before it has said that one follows; and what only looks so."""

import re

SHORTEST = 4
# What stands after “password” without being one.
SAID_OF_PASSWORDS = re.compile(
    r"a|about|absent|accepted|access|accordingly|account|across|active|again|against|age|ages|algorithm|all"
    r"|also|always|and|any|anything|applied|are|as|ask|asked|asks|at|audience|authentication|automatically"
    r"|available|bad|be|been|before|being|between|blank|both|box|broken|broker|but|by|cache|cached|caches|can"
    r"|can't|cannot|card|cards|chain|change|changed|changes|changing|check|checked|claim|claims|combination"
    r"|combinations|complexity|configured|container|copied|correct|correctly|corrupt|could|customer|damaged"
    r"|default|defined|dialog|did|didn't|different|disabled|do|does|doesn't|during|email|empty|enabled"
    r"|encryption|endpoint|ends|enter|entered|entry|error|etc|every|exchange|expected|expire|expired|expires"
    r"|expiry|failed|failing|fails|failure|false|feature|features|field|fields|file|files|fine|fob|fobs|for"
    r"|forgotten|free|from|generated|get|gets|goes|good|got|guessing|had|has|hash|hashes|have|he|here|hidden"
    r"|hint|hints|history|how|id|ids|if|immediately|in|incorrect|input|invalid|is|isn't|issue|issued|issues|it"
    r"|its|just|keeps|kept|known|last|left|length|less|lifetime|link|list|locally|locked|lockout|login|looks"
    r"|loop|lost|mail|manager|mandatory|manually|matches|may|mismatch|missing|must|n/a|name|names|need|needed"
    r"|needs|never|new|next|no|none|not|nothing|null|of|ok|okay|old|on|once|only|optional|or|out|over|page|pair"
    r"|pairs|part|pasted|people|person|please|point|policy|popup|portal|present|press|presses|prompt|prompts"
    r"|properly|protected|protection|provided|question|read|received|redacted|refresh|refreshed|rejected"
    r"|removed|renewal|renewed|request|requests|required|reset|resets|response|reuse|reused|ring|rotate|rotated"
    r"|rotates|rotation|rotations|rules|same|saved|scope|scopes|screen|secure|see|seems|self|sent|separately"
    r"|server|service|set|settings|shared|she|sheet|should|showing|shown|signature|signing|since|size|sizes|so"
    r"|something|spray|stays|still|store|stored|stores|strong|successfully|supported|sync|synced|that|the|their"
    r"|them|then|there|they|thing|this|time|to|true|try|twice|type|typed|types|unavailable|unchanged|undefined"
    r"|under|unexpected|unknown|unreadable|unset|unsupported|until|updated|usage|used|user|valid|value|vault"
    r"|verified|via|was|wasn't|we|weak|went|were|when|which|while|why|will|window|with|without|won't|word|words"
    r"|worked|working|works|writeback|written|wrong|xxxx|yes|yet|you|your",
    re.IGNORECASE,
)
NO_SECRET = re.compile(
    r"""^(?:
        [<{\[%$(].*                               # a template's place, such as <password> or $PASSWORD
        | (?:[*•x.#_-])+                          # hidden already
        | [\d.,:/-]+ (?:%|s|ms|m|h|d|kb|mb|gb|days?|hours?|minutes?)?   # numbers, dates, versions, durations
        | v?\d+(?:\.\d+)+\S*                      # versions, addresses
        | kb\d{6,8} | cve-\d{4}-\d+ | 0x[0-9a-f]+ | aadsts\d+ | ms\d\d-\d+ | event\d+
        | [a-z]+://\S* | \\\\.* | [a-z]:\\.* | /[\w./-]* | hk(?:lm|cu|ey_\w+)\S*   # addresses and paths
        | [\w.+-]+@[\w-]+(?:\.[\w-]+)+            # mail addresses
        | [\w-]+\.(?:exe|dll|msi|log|txt|ps1|bat|cmd|json|xml|ya?ml|ini|cfg|conf|pem|cer|crt|pfx|ost|pst|docx?|xlsx?
          |pdf|com|net|org|local|example|internal|io|de)
        | [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}        # GUIDs
        | (?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}       # hardware addresses
        | \#?\d+ | (?-i:[A-Z]{2,}(?:-[A-Z]+)*-?\d{0,6}) | [a-z]+   # tickets, hosts, words
        | (?:windows|office|exchange|server|outlook|sql|ios|android)\d+
        | (?:sha|aes|rsa|md|tls|wpa)-?\d\S*
        | 2fa | f\d\d? | o?auth2? | [a-z]+365 | x509 | base64 | utf-?8
        | ipv[46] | ntlmv[12] | s/mime | http/[\d.]+ | i18n
    )$""",
    re.IGNORECASE | re.VERBOSE,
)


def any_value(value: str) -> bool:
    return True


def told(value: str) -> bool:
    """After “password:”: nearly anything is one."""
    if SAID_OF_PASSWORDS.fullmatch(value) or len(value) < SHORTEST or re.match(r"[<{\[%$(*•#]|x+$|\.+$", value.lower()):
        return False
    return not re.fullmatch(r"[a-z]+://.*|[A-Za-z]:\\.*|/[\w./-]+/[\w./-]+", value)


def odd(value: str) -> bool:
    """After “the password is”: not what an English sentence goes on with."""
    if SAID_OF_PASSWORDS.fullmatch(value) or len(value) < 5 or NO_SECRET.match(value):
        return False
    inner = value[1:]
    return bool(
        re.search(r"[\d!@#$%^&*+=?~|{}_]", value) or (re.search(r"[A-Z]", inner) and re.search(r"[a-z]", value))
    )


def quoted(value: str) -> bool:
    """In quotation marks right after “password”: also several words, unless they are something that was said."""
    return odd(value) or (" " in value and not SAID_OF_PASSWORDS.fullmatch(value.split()[0]) and value[-1] not in ".!?")


def strong(value: str) -> bool:
    """Right after “password”, or near it: letters with digits or signs, and nothing that is known to look so."""
    if len(value) < 6 or NO_SECRET.match(value) or "\\" in value or value.count("/") > 1:
        return False
    letters, digits = re.search(r"[A-Za-z]", value), re.search(r"\d", value)
    signs = re.search(r"[!@#$%^&*+=?~|{}]", value)
    return bool(letters and (digits or signs))


def code(value: str) -> bool:
    return bool(re.search(r"\d", value)) and 4 <= len(re.sub(r"\W", "", value)) <= 40
