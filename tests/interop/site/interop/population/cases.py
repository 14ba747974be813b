"""One user for each thing that a selection or a guard has to tell apart."""
from dataclasses import dataclass, field
from datetime import timedelta

MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)

UNVERIFIED_PRIMARY = [("", False, True)]


@dataclass
class Case:
    """`last_login` is an offset from the cut-off, None is never; an address is (prefix, verified, primary)."""

    label: str
    username: str = ""
    last_login: timedelta = None
    joined_recently: bool = False
    addresses: list = field(default_factory=lambda: UNVERIFIED_PRIMARY)
    columns: dict = field(default_factory=dict)


LOGINS = [
    Case("never"),
    Case("before", last_login=-DAY),
    Case("microsecond_before", last_login=-MICROSECOND),
    Case("at_cutoff", last_login=timedelta(0)),
    Case("microsecond_after", last_login=MICROSECOND),
    Case("hours_before", last_login=-timedelta(hours=8)),
    Case("hours_after", last_login=timedelta(hours=8)),
    Case("after", last_login=30 * DAY),
    Case("recent", joined_recently=True),
]

ADDRESSES = [
    Case("two_primaries", addresses=[("", False, True), ("second.", False, True)]),
    Case("split_primaries", addresses=[("", True, True), ("second.", False, True)]),
    Case("verified_primary", addresses=[("", True, True)]),
    Case("verified_regular", last_login=60 * DAY, addresses=[("", True, True)]),
    Case("verified_secondary", addresses=[("", False, True), ("second.", True, False)]),
    Case("pending_change", addresses=[("", True, True), ("new.", False, False)]),
    Case("not_primary", addresses=[("", False, False)]),
    Case("no_address", addresses=[]),
    Case("mixed_case", addresses=[("Mixed.Case.", False, True)]),
]

STANDING = [
    Case("staff", columns={"is_staff": True}),
    Case("superuser", columns={"is_superuser": True}),
    Case("inactive", columns={"is_active": False}),
]

# Each of these gets the rows of its name in `belongings`.
OWNERS = [
    Case(label)
    for label in (
        "social",
        "grouped",
        "permitted",
        "logged",
        "with_session",
        "confirmation_recent",
        "confirmation_old",
        "confirmation_unsent",
        "profile_owner",
        "author",
        "editor",
        "commenter",
        "replier",
        "writer",
        "page_owner",
        "club_member",
    )
]

ODD_NAMES = [
    Case("odd_escape", "red\x1b[31m\x07\x08name"),
    Case("odd_c1", "c1\x9b31m\x85next"),
    Case("odd_newline", "two\r\nlines"),
    Case("odd_tab", "\ttab"),
    Case("odd_formula", "=cmd()|' /C calc'!A1"),
    Case("odd_plus", "+1+1"),
    Case("odd_minus", "-2-3"),
    Case("odd_at", "@SUM(A1:A9)"),
    Case("odd_rtl", "\u202egnp.exe"),
    Case("odd_zero_width", "in\u200bvis\u2060ible"),
    Case("odd_wide", "管理者😀"),
    Case("odd_combining", "Zoe\u0308"),
    Case("odd_compatibility", "\u212bngström"),
    Case("odd_quotes", "\"Robert'); DROP TABLE auth_user;--,"),
    Case("odd_digits", "000123"),
    Case("odd_long", "x" * 150),
]

CASES = LOGINS + ADDRESSES + STANDING + OWNERS + ODD_NAMES
