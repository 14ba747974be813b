from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from .cases import CASES, Case

PASSWORD = "correct horse battery"
SALT = "0123456789abcdefghijkl"
UNUSABLE = "!" + "x" * 40

JOINED_BEFORE_CUTOFF = timedelta(days=400, microseconds=123456)
JOINED_BEFORE_NOW = timedelta(hours=1)


def create_users(cutoff, now, bulk):
    """Creates every case and `bulk` bots; returns {label: id} of the cases and the sorted ids of the bots."""
    bots = [Case(f"bot{number:06}") for number in range(1, bulk + 1)]
    ids = create(CASES + bots, cutoff, now)
    return {case.label: ids[name_of(case)] for case in CASES}, sorted(ids[name_of(bot)] for bot in bots)


def create(cases, cutoff, now):
    """Returns {username: id}."""
    User = get_user_model()
    password = make_password(PASSWORD, SALT, "pbkdf2_sha256")
    User.objects.bulk_create((user_of(case, password, cutoff, now) for case in cases), batch_size=500)
    ids = dict(User.objects.values_list("username", "pk"))
    EmailAddress.objects.bulk_create(
        (
            EmailAddress(user_id=ids[name_of(case)], email=prefix + email_of(case), verified=verified, primary=primary)
            for case in cases
            for prefix, verified, primary in case.addresses
        ),
        batch_size=500,
    )
    return ids


def user_of(case, password, cutoff, now):
    return get_user_model()(
        username=name_of(case),
        email=email_of(case) if case.addresses else "",
        password=UNUSABLE if case.label.startswith("bot") else password,
        last_login=None if case.last_login is None else cutoff + case.last_login,
        date_joined=now - JOINED_BEFORE_NOW if case.joined_recently else cutoff - JOINED_BEFORE_CUTOFF,
        **case.columns,
    )


def name_of(case):
    return case.username or case.label


def email_of(case):
    domain = "throwaway.example" if case.label.startswith("bot") else "example.org"
    return f"{case.label}@{domain}"
