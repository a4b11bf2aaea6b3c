"""Where a ticket's reference leads, and which addresses nobody can set."""

import pytest
from django.core.exceptions import ValidationError

from resolutionflow.accounts import ticket_links
from resolutionflow.accounts.ticket_links import address_of, validate_template

GOOD = "https://psa.example/tickets?id={ticket}"


@pytest.mark.parametrize(
    ("template", "reference", "address"),
    [
        (GOOD, "#48213", "https://psa.example/tickets?id=%2348213"),
        (GOOD, " T2026.0001 ", "https://psa.example/tickets?id=T2026.0001"),
        ("https://psa.example/t/{number}", "#48213", "https://psa.example/t/48213"),
        ("https://psa.example/{ticket}/of/{number}", "A1", "https://psa.example/A1/of/1"),
        (GOOD, "a b&c=d#e/f?g", "https://psa.example/tickets?id=a%20b%26c%3Dd%23e%2Ff%3Fg"),
        (GOOD, "javascript:canary()", "https://psa.example/tickets?id=javascript%3Acanary%28%29"),
        (GOOD, "{number}", "https://psa.example/tickets?id=%7Bnumber%7D"),
        ("https://psa.example/t/{number}", "none", ""),
        ("https://psa.example/t/{number}", "٣٤", ""),
        ("https://psa.example/t/{ticket}", "..", ""),
        ("https://psa.example/t/{ticket}", "../x", "https://psa.example/t/..%2Fx"),
        (GOOD, "", ""),
        ("", "#48213", ""),
    ],
)
def test_a_reference_leads_to_its_ticket_and_nowhere_else(template, reference, address):
    assert address_of(template, reference) == address


@pytest.mark.parametrize(("name", "template"), ticket_links.PRESETS)
def test_every_example_is_an_address_that_can_be_set(name, template):
    validate_template(template)
    assert "48213" in address_of(template, ticket_links.EXAMPLE)


@pytest.mark.parametrize("template", [GOOD, "https://psa.example:8443/#/t/{number}", "https://[2001:db8::1]/{ticket}"])
def test_a_good_address_is_taken(template):
    validate_template(template)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("http://psa.example/{ticket}", "must begin with https://"),
        ("javascript:alert({ticket})", "must begin with https://"),
        ("JavaScript://psa.example/%0aalert({ticket})", "must begin with https://"),
        ("data:text/html,{ticket}", "must begin with https://"),
        ("//psa.example/{ticket}", "must begin with https://"),
        ("https:psa.example/{ticket}", "names no host"),
        ("https:///{ticket}", "names no host"),
        ("https://me:secret@psa.example/{ticket}", "No name or password"),
        ("https://psa.example@elsewhere.example/{ticket}", "No name or password"),
        ("https://{ticket}.psa.example/{number}", "host is always the same"),
        ("https://psa.example{ticket}", "host is always the same"),
        ("https://psa.example/", "Put {ticket} or {number}"),
        ("https://psa.example/{id}", "{id} means nothing here"),
        ("https://psa.example/{ticket}?{", "A brace stands alone"),
        ("https://psa.example\\@elsewhere.example/{ticket}", "no spaces, quotes or backslashes"),
        ("https://psa.example/ {ticket}", "no spaces"),
        ('https://psa.example/"onclick=x/{ticket}', "no spaces, quotes"),
        ("https://psa.example:x/{ticket}", "no web address"),
        ("https://[psa.example/{ticket}", "no web address"),
    ],
)
def test_a_bad_address_is_refused_in_words(template, said):
    with pytest.raises(ValidationError) as refused:
        validate_template(template)
    assert said in refused.value.messages[0]
