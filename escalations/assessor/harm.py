"""Which steps change or remove something that may be missed. A rule, not a judgement: the same for every assessor."""

import re

WARNING = "Changes or removes something: check what depends on it first."

# Words that tell a person to take something away or to interrupt it.
VERBS = re.compile(
    r"\b(?:re-?format(?:t?ing|s)?|format(?:ting)? (?:the|its|your|all|drive|disk|volume|\w:)|delet\w*|destroy\w*"
    r"|wip(?:e|es|ed|ing)|eras(?:e|es|ed|ing)|drop(?:ping)? (?:the|all|table|database)"
    r"|re-?set(?:s|ting)?\b|remov(?:e|es|ed|ing)"
    r"|purg(?:e|es|ed|ing)|overwrit\w*|truncat(?:e|es|ed|ing)|uninstall\w*|re-?install\w*|re-?imag\w*|re-?build(?:s|ing)?"
    r"|shut(?:ting)? ?down|power(?:ing)?[ -]?(?:off|cycl\w+)|re-?boot\w*|re-?start\w*|kill(?:s|ing)? (?:the|all|every)"
    r"|terminat(?:e|es|ing)|disabl(?:e|es|ing)|(?:turn|switch)(?:ing)? off"
    r"|deactivat(?:e|es|ing)|revok(?:e|es|ing)|demot(?:e|es|ing)|un-?join\w*"
    r"|flash(?:ing)? (?:the|firmware|bios)|downgrad(?:e|es|ing)|roll(?:ing)? ?back)\b",
    re.IGNORECASE,
)
# Commands that do the same without such a word, or with one in a name.
COMMANDS = re.compile(
    r"\brm\s+-|\bdd\s+(?:if|of)=|\bmkfs\b|\bfdisk\b|\bdiskpart\b|\bclean\s+all\b|\bshred\b|\bchmod\s+-R|\bchown\s+-R"
    r"|\bdel\s+/|\brd\s+/s|\brmdir\s+/s|\breg\s+(?:delete|add|import)\b|\bformat\s+[a-z]:|\bcipher\s+/w|\bsdelete\b"
    r"|\bRemove-\w+|\bClear-\w+|\bReset-\w+|\bStop-\w+|\bRestart-\w+|\bDisable-\w+|\bUninstall-\w+|\bFormat-Volume\b"
    r"|\bInitialize-Disk\b|\bSet-ExecutionPolicy\b|\bSet-MpPreference\b|\bInvoke-Expression\b|\biex\b"
    r"|\bDROP\s+(?:TABLE|DATABASE)|\bDELETE\s+FROM\b|\bTRUNCATE\b|\bUPDATE\s+\w+\s+SET\b"
    r"|\bgit\s+(?:reset|clean|push\s+(?:-f|--force))|\bkubectl\s+delete\b|\bdocker\s+\w*\s*prune\b|\bterraform\s+destroy"
    r"|\bvssadmin\s+delete|\bwbadmin\s+delete|\bbcdedit\b|\bntdsutil\b|\bnetsh\s+\w+\s+(?:reset|set|delete)"
    r"|\biptables\s+-F|\bufw\s+disable|\bsetenforce\s+0|\buserdel\b|\bnet\s+user\b.*/delete|\bwrite\s+erase\b"
    r"|\b(?:curl|wget|iwr|Invoke-WebRequest)\b[^|]*\|\s*(?:sudo\s+)?(?:ba|z|power)?sh|:\(\)\s*\{|>\s*/dev/sd",
    re.IGNORECASE,
)


def warning_for(text: str) -> str:
    """The warning that belongs to this step; empty where nothing is changed or removed."""
    return WARNING if VERBS.search(text) or COMMANDS.search(text) else ""
